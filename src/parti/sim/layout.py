"""The layout of what kernels work on: every object is a number, its first cell in two arrays of one length.

Of an object at `h` the field X is ``ints[h + X]`` if it is a whole number or another object, and ``reals[h + X]`` if it is a
real one. Passing two arrays costs a kernel nothing; passing fifty made it forty times slower. This module has the
objects that describe a network; `state.py` those that change.
"""

from __future__ import annotations

from typing import Final

# The header: cells at the beginning of `ints` and `reals`. `state.py` has more of them.
STATIONS: Final = 0
STATION_COUNT: Final = 1
CALLS: Final = 2
CALL_COUNT: Final = 3
RANKS: Final = 4
"""Where the stations by rank begin, one cell each."""
VISITS_MAX: Final = 5
JOINED: Final = 6
HELD: Final = 7
VIA: Final = 8
WIDTH: Final = 9
"""Columns of a request's row in the stage where those for joins, limits and sources begin (its attempts by call come first),
and how many there are. VIA is -1 without forks."""
PARTED: Final = 10
"""Whether parts are wanted."""
LIMITS: Final = 11
LIMIT_COUNT: Final = 12
HEADER: Final = 40

FROM: Final = 0
UNTIL: Final = 1
"""Reals: the window of the figures."""

# A distribution: ints KIND and KNOTS, its two numbers, and its quantiles as reals from QUANTILES on.
KIND: Final = 0
KNOTS: Final = 1
FIRST_NUMBER: Final = 0
SECOND_NUMBER: Final = 1
QUANTILES: Final = 2

# A target of a route: the call (or END_CALL) as an int, the cumulative probability as a real.
END_CALL: Final = -1

# A station, ints
SERVERS: Final = 0
SIZE: Final = 1
"""The largest batch, 1 for none."""
ROOM: Final = 2
GROWTH: Final = 3
"""Where the factors of its batches lie."""
RATED: Final = 4
"""0 no rate, 1 waits for its turn, 2 is rejected."""
ATTEMPTS: Final = 5
CANCELS: Final = 6
"""0 never, 1 at once, 2 only what still waits."""
HOW: Final = 7
"""How it serves: PLAIN, BATCHES, FRAGILE or ENGINE."""
PLACES: Final = 8
"""Servers of one replica, slots of one engine."""
REPLICAS: Final = 9
LOSES: Final = 10
UP_DRAW: Final = 11
DOWN_DRAW: Final = 12
COLD_DRAW: Final = 13
"""Distributions, -1 for none."""
FIRST: Final = 14
"""Its first server or engine, if they are told apart."""
RANK: Final = 15
"""Its place in the order of what happens at one instant."""
STATION_KEY: Final = 16
OUTCOMES: Final = 17
"""Four counts: served, and by `Outcome` rejected, timed out, failed."""
STATION: Final = 30
"""Cells of a station; those from 21 on are in `state.py`."""

# A station, reals
LINGER: Final = 0
INTERVAL: Final = 1
TOLERANCE: Final = 2
"""Of the rate: seconds between requests, and by how many seconds a burst may be early."""
TIMEOUT: Final = 3
BACKOFF: Final = 4
FACTOR: Final = 5
LONGEST: Final = 6
JITTER_SHARE: Final = 7
IDLE: Final = 8
PREFILL: Final = 9
PREFILL_TOKEN: Final = 10
STEP: Final = 11
STEP_SEQUENCE: Final = 12
BUSY: Final = 13
QUEUED: Final = 14
PATIENCE: Final = 15
"""The timeout from the begin of the service on."""
FAILING: Final = 16
"""Which share of attempts fails by chance."""

PLAIN: Final = 0
BATCHES: Final = 1
FRAGILE: Final = 2
ENGINE: Final = 3

SERVED: Final = 0
REJECTED: Final = 1
TIMED_OUT: Final = 2
FAILED: Final = 3

# A call, ints
OF: Final = 0
"""Its station."""
JOINS: Final = 1
JOIN: Final = 2
"""Its column among the calls that join, -1 for none."""
NEXT_HOW: Final = 3
"""Where requests go: ONE, CHOICE or FORK."""
TARGET: Final = 4
TARGETS: Final = 5
"""Its first target, and how many there are."""
LIMIT: Final = 6
"""The limit it is under, -1 for none."""
SERVICE_DRAW: Final = 7
PROMPT_DRAW: Final = 8
OUTPUT_DRAW: Final = 9
INSIDE: Final = 10
"""Whether it is part of the stage at hand."""
CALL_KEY: Final = 11
NUMBER: Final = 12
COLUMN: Final = 13
"""Its number in the network, and among the calls of the stage."""
CALL: Final = 14
# A call, reals
PROMPT_GROWTH: Final = 0

ONE: Final = 0
CHOICE: Final = 1
FORK: Final = 2

# A row of parts: four numbers for each call
# Sizes
CALLS_MAX: Final = 1000
STATIONS_MAX: Final = 1000
REQUESTS_MAX: Final = 1 << 30
"""What the order of simultaneous events has room for."""

WAITING: Final = 0
BATCHING: Final = 1
SERVICE: Final = 2
RETRYING: Final = 3
