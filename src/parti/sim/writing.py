"""One station of engines at a time: all its arrivals are known, so the next change is an arrival or an engine's next stop."""

from __future__ import annotations

import math
from typing import Any

from parti.sim import layout as at
from parti.sim import state as of
from parti.sim.compiled import compiled, kept, np
from parti.sim.engines import (
    begin_stretch,
    engine_cells,
    interrupt,
    least_loaded,
    put_slot,
    reading_seconds,
    take_slot,
    tokens_after_first,
)
from parti.sim.serving import clipped


@kept
def run_engines(ints: Any, reals: Any, parts: Any, station: int, came: Any, entry: Any, requests: Any, calls: Any, turns: Any, depart: Any, order: Any) -> int:  # fmt: skip
    """A station of language models with room for all; its engines lie behind the network (see `queueing.py` for the rest)."""
    number, left = len(entry), 0
    link, start = np.full(number, -1), np.empty(number)
    for index in range(number + 1):
        now = entry[index] if index < number else math.inf
        while True:
            engine = soonest(ints, reals, station)
            stop = reals[engine + of.WAKE]
            if stop >= now:
                break
            left = stop_one(ints, reals, parts, station, engine, stop, link, start, came, entry, requests, calls, turns, depart, order, left)  # fmt: skip
        if index < number:
            engine = least_loaded(ints, station)
            if ints[engine + of.E_HEAD] < 0:
                ints[engine + of.E_HEAD] = index
            else:
                link[ints[engine + of.E_TAIL]] = index
            ints[engine + of.E_TAIL] = index
            ints[engine + of.E_WAITS] += 1
            interrupt(ints, reals, engine, ints[station + at.PLACES], now)
    return left


@compiled
def soonest(ints: Any, reals: Any, station: int) -> int:
    """The engine that is to be looked after first."""
    first, cells = ints[station + at.FIRST], engine_cells(ints[station + at.PLACES])
    best = first
    for engine in range(first + cells, first + cells * ints[station + at.REPLICAS], cells):
        if reals[engine + of.WAKE] < reals[best + of.WAKE]:
            best = engine
    return best


@compiled
def stop_one(ints: Any, reals: Any, parts: Any, station: int, engine: int, now: float, link: Any, start: Any, came: Any, entry: Any, requests: Any, calls: Any, turns: Any, depart: Any, order: Any, left: int) -> int:  # fmt: skip
    """An engine between two steps: sequences that ended leave, a prompt is begun or a stretch of steps; gives how many left."""
    before = left
    index = ints[engine + of.READING]
    if index >= 0:
        ints[engine + of.READING] = -1
        more = tokens_after_first(ints, reals, requests[index], calls[index], turns[index])
        if more == 0:
            order[left] = index
            left += 1
        else:
            put_slot(ints, engine, ints[engine + of.ACTIVE], ints[engine + of.STEPS] + more, index)
            ints[engine + of.ACTIVE] += 1
    elif ints[engine + of.ACTIVE] > 0:
        ints[engine + of.STEPS] += ints[engine + of.STRETCH]
        while ints[engine + of.ACTIVE] > 0 and ints[engine + of.SLOTS] <= ints[engine + of.STEPS]:
            order[left] = ints[engine + of.SLOTS + 1]
            left += 1
            take_slot(ints, engine, ints[engine + of.ACTIVE])
            ints[engine + of.ACTIVE] -= 1
    for place in range(before, left):
        done = order[place]
        depart[done] = now
        reals[station + at.BUSY] += clipped(reals, start[done], now)
        finished(ints, reals, parts, station, calls[done], requests[done], came[done], start[done], now)
    if ints[engine + of.ACTIVE] < ints[station + at.PLACES] and ints[engine + of.E_WAITS] > 0:
        index = ints[engine + of.E_HEAD]
        ints[engine + of.E_HEAD] = link[index]
        ints[engine + of.E_WAITS] -= 1
        ints[engine + of.READING], start[index] = index, now
        reals[station + at.QUEUED] += clipped(reals, came[index], now)
        reals[engine + of.WAKE] = now + reading_seconds(
            ints, reals, station, requests[index], calls[index], turns[index]
        )
    else:
        begin_stretch(ints, reals, station, engine, now)
    return left


@compiled
def finished(ints: Any, reals: Any, parts: Any, station: int, call: int, request: int, came: float, start: float, now: float) -> None:  # fmt: skip
    """Add up one sequence."""
    if now >= reals[at.FROM] and now <= reals[at.UNTIL]:
        ints[station + at.OUTCOMES] += 1
    if ints[at.PARTED]:
        column = 4 * ints[call + at.COLUMN]
        parts[request, column + at.WAITING] += start - came
        parts[request, column + at.BATCHING] += start - start
        parts[request, column + at.SERVICE] += now - start
