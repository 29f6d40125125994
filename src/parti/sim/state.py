"""The objects that change while events happen: queues of stations, servers, engines, limits, jobs, and what is to come.

A job is one attempt of a branch of a request at a call. See `layout.py` for how objects lie in the two arrays.
"""

from __future__ import annotations

from typing import Final

from parti.sim.layout import HEADER, STATION

# The header, ints
EVENTS_NOW: Final = 20
HEAP: Final = 21
HEAP_ROOM: Final = 22
"""How many events are to come, where they lie, and how many may."""
UNUSED: Final = 23
FREE_JOBS: Final = 24
"""The first free job, and how many there are."""
BRANCHES: Final = 25
"""How many branches are under way."""
HAPPENED: Final = 26
"""How many model events happened."""
NEXT: Final = 27
"""The next arrival from outside."""
AT_ONCE: Final = 28
"""The job that arrives somewhere at this very instant, -1 for none."""
OUT: Final = 29
OUTS: Final = 30
OUT_ROOM: Final = 31
ENDED: Final = 32
ENDS: Final = 33
END_ROOM: Final = 34
"""Branches that left, and that ended badly: how many, where they lie, how many may."""
JOBS: Final = 35
"""How many jobs there are room for."""
assert JOBS < HEADER

# An event to come: its time as a real, its key and load as ints.
LOAD: Final = 1
EVENT: Final = 2

# A branch that left, or ended badly: when, as a real; its request, and where it goes (or how it ended) and comes from.
GONE_REQUEST: Final = 0
GONE_WHERE: Final = 1
GONE_SOURCE: Final = 2
GONE_CELLS: Final = 3

# A station's queue, ints and reals
HEAD: Final = 21
TAIL: Final = 22
WAITS: Final = 23
"""How many live jobs wait."""
AT_WORK: Final = 24
"""How many servers are busy."""
WITHIN: Final = 25
"""How many jobs are at the station."""
SOONEST: Final = 26
LAST: Final = 27
"""The ends of the list of deadlines."""
RING: Final = 28
"""Which server has been idle longest, in the ring of idle servers."""
ALARMED: Final = 29
"""Whether an event for the next deadline is under way."""
assert ALARMED < STATION
DUE: Final = 21
"""When the rate's next request is due."""
CHECK: Final = 22
"""When the next check for a batch is under way."""

# A job, ints and reals
REQUEST: Final = 0
CALL: Final = 1
TURN: Final = 2
"""Which draw of this call the attempt uses: how many attempts the request made there before."""
ATTEMPT: Final = 3
LINK: Final = 4
"""The next job: in its queue, its batch, or among the free ones."""
PLACE: Final = 5
"""Where it is: AWAY, HELD_UP, GATED, QUEUED or SERVED_NOW."""
FLAG: Final = 6
"""LIVE, ABANDONED (served though nobody waits), or GONE (to be dropped where it is met)."""
BEFORE: Final = 7
AFTER: Final = 8
"""Its neighbours among the deadlines of its station; BEFORE is -2 when it is not among them."""
SERVER: Final = 9
SOURCE: Final = 10
"""The number of the call it came from, -1 at an entry."""
HOLDS: Final = 11
"""The hold by which its branch has a slot of a limit, -1 for none."""
JOB: Final = 12

# A hold: the row of a job that stands for a slot of a limit
LIMITED: Final = CALL
"""The limit."""
SHARED: Final = TURN
"""How many branches share it."""

# A job, reals
CAME: Final = 0
"""When the attempt began."""
READY: Final = 1
"""When it came to the queue, past the rate."""
START: Final = 2
FREE: Final = 3
"""When a server was free for it."""
SPAN: Final = 4
"""How long its service takes."""
DEADLINE: Final = 5

AWAY: Final = 0
HELD_UP: Final = 1
GATED: Final = 2
QUEUED: Final = 3
SERVED_NOW: Final = 4

LIVE: Final = 0
ABANDONED: Final = 1
GONE: Final = 2

# A server, ints and reals
DOING: Final = 0
"""IDLE, WORKING or DOWN."""
BATCH: Final = 1
"""The first job of its batch."""
CYCLE: Final = 2
"""Of the first server of a replica: how often that failed."""
AT: Final = 3
"""Its station."""
SERVER_CELLS: Final = 4
SINCE: Final = 0
"""Since when it is idle."""
WARM: Final = 1
"""When it worked last, minus infinity when it is cold."""
UP_TO: Final = 2
"""When it will be done."""

IDLE: Final = 0
WORKING: Final = 1
DOWN: Final = 2

# An engine, ints and reals
STEPS: Final = 0
"""How many steps were done when the present stretch began."""
ACTIVE: Final = 1
"""How many sequences are being written."""
E_HEAD: Final = 2
E_TAIL: Final = 3
E_WAITS: Final = 4
READING: Final = 5
"""The job whose prompt is being read, -1 for none."""
STRETCH: Final = 6
"""After how many steps the present stretch ends."""
PURGE: Final = 7
"""Whether sequences that nobody wants are to be removed."""
E_STATION: Final = 8
SLOTS: Final = 9
"""Its sequences, a heap: the step that ends each, and its job."""
BEGAN: Final = 0
"""When the present stretch of steps began."""
WAKE: Final = 1
"""When it is to be looked after next; infinite when idle."""
PACE: Final = 2
"""Seconds per step in the present stretch."""

# A limit, ints
USED: Final = 0
L_HEAD: Final = 1
L_TAIL: Final = 2
L_SLOTS: Final = 3
LIMIT_CELLS: Final = 4

# What happens, in this order at one instant at one station
COMPLETE: Final = 0
ARRIVE: Final = 1
GATE: Final = 2
DISPATCH: Final = 3
WAKE_UP: Final = 4
EXPIRE: Final = 5
FAIL: Final = 6
REPAIR: Final = 7
