"""The event loop: any network, one event after the other, about 100 ns an event when compiled."""

from __future__ import annotations

import math
from typing import Any, Final

from parti.sim import layout as at
from parti.sim import state as of
from parti.sim.compiled import compiled, kept
from parti.sim.crowds import complete_batch, complete_server, dispatch, fail, repair, set_failure, wake
from parti.sim.heap import pop
from parti.sim.moving import new_job, schedule
from parti.sim.serving import arrive, complete, expire, gated

FINISHED: Final = 0
FULL: Final = 1


@kept
def run_events(ints: Any, reals: Any, rows: Any, parts: Any, times: Any, keys: Any, requests: Any, calls: Any, sources: Any, spare: int) -> int:  # fmt: skip
    """Let events happen until no branch is under way (FINISHED), or something has room for fewer than `spare` (FULL): the
    caller makes room and calls again. No event needs more.

    `times`, `keys`, `requests`, `calls` and `sources` are what arrives from outside, in order of time and key.
    """
    coming, now, rank = len(times), 0.0, 1 << 53
    if ints[of.NEXT] == 0 and ints[of.EVENTS_NOW] == 0:
        set_failures(ints, reals)
    while True:
        following, events, first = ints[of.NEXT], ints[of.EVENTS_NOW], ints[of.HEAP]
        arrival = times[following] if following < coming else math.inf
        job = ints[of.AT_ONCE]
        if job >= 0:
            ints[of.AT_ONCE] = -1
            if arrival <= now or (events > 0 and reals[first] <= now):
                schedule(ints, reals, now, ints[ints[job + of.CALL] + at.OF], of.ARRIVE, job)
                continue
        elif ints[of.FREE_JOBS] < spare or events + spare > ints[of.HEAP_ROOM] or no_room(ints, spare):
            return FULL
        elif following < coming and (
            events == 0 or arrival < reals[first] or (arrival == reals[first] and keys[following] < ints[first])
        ):
            now = arrival
            ints[of.NEXT] = following + 1
            ints[of.BRANCHES] += 1
            job = new_job(ints, requests[following], calls[following], sources[following])
        elif events == 0 or (ints[of.BRANCHES] == 0 and following == coming):
            return FINISHED
        else:
            now, key, load = reals[first], ints[first], ints[first + of.LOAD]
            pop(ints, reals)
            kind = (key % rank) >> 50
            if kind == of.COMPLETE:
                complete_any(ints, reals, rows, parts, now, ints[ints[at.RANKS] + key // rank], load)
            elif kind != of.ARRIVE:
                other_event(ints, reals, rows, parts, now, kind, load)
            if kind != of.ARRIVE:
                continue
            job = load
        arrive(ints, reals, rows, parts, now, job)


@compiled
def no_room(ints: Any, spare: int) -> bool:
    """Whether the lists of branches that left or ended badly are nearly full."""
    return ints[of.OUT] + spare > ints[of.OUT_ROOM] or ints[of.ENDED] + spare > ints[of.END_ROOM]


@compiled
def complete_any(ints: Any, reals: Any, rows: Any, parts: Any, now: float, station: int, load: int) -> None:
    """A service at a station ends: of a job, of a batch by its first job, or of a server."""
    how = ints[station + at.HOW]
    if how == at.PLAIN:
        complete(ints, reals, rows, parts, now, load)
    elif how == at.BATCHES:
        complete_batch(ints, reals, rows, parts, now, station, load)
    else:
        complete_server(ints, reals, rows, parts, now, load)


@compiled
def other_event(ints: Any, reals: Any, rows: Any, parts: Any, now: float, kind: int, load: int) -> None:
    """Any event but an arrival or the end of a service."""
    if kind == of.GATE:
        gated(ints, reals, rows, parts, now, load)
    elif kind == of.DISPATCH:
        dispatch(ints, reals, rows, parts, now, load)
    elif kind == of.WAKE_UP:
        wake(ints, reals, rows, parts, now, load)
    elif kind == of.EXPIRE:
        expire(ints, reals, rows, parts, now, load)
    elif kind == of.FAIL:
        fail(ints, reals, rows, parts, now, load)
    else:
        repair(ints, reals, now, load)


@compiled
def set_failures(ints: Any, reals: Any) -> None:
    """When each replica that may fail does so first."""
    for place in range(ints[at.STATION_COUNT]):
        station = ints[ints[at.RANKS] + place]
        if ints[station + at.UP_DRAW] >= 0 and ints[station + at.FIRST] >= 0:
            cells = ints[station + at.PLACES] * of.SERVER_CELLS
            for replica in range(ints[station + at.REPLICAS]):
                set_failure(ints, reals, 0.0, station, ints[station + at.FIRST] + replica * cells)
