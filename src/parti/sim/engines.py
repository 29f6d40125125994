"""Engines of language models: continuous batching on a clock that counts steps, one stretch of equal steps at a time.

Between two changes of who is being written all steps take the same time, so what ends when is known by the number of the
step, and an hour of tokens is some thousand stretches.
"""

from __future__ import annotations

import math
from typing import Any

from parti.sim import draws
from parti.sim import layout as at
from parti.sim import state as of
from parti.sim.compiled import compiled
from parti.sim.moving import notify


@compiled
def engine_cells(slots: int) -> int:
    """How many cells an engine takes."""
    return of.SLOTS + 2 * (slots + 1)


@compiled
def least_loaded(ints: Any, station: int) -> int:
    """The engine of a station with the fewest sequences in hand and in line; of equal ones the first."""
    first = ints[station + at.FIRST]
    best, least = first, engine_load(ints, first)
    cells = engine_cells(ints[station + at.PLACES])
    for number in range(1, ints[station + at.REPLICAS]):
        engine = first + number * cells
        load = engine_load(ints, engine)
        if load < least:
            best, least = engine, load
    return best


@compiled
def engine_load(ints: Any, engine: int) -> int:
    """Sequences in hand and in line."""
    return ints[engine + of.ACTIVE] + ints[engine + of.E_WAITS] + (ints[engine + of.READING] >= 0)


@compiled
def interrupt(ints: Any, reals: Any, engine: int, slots: int, now: float) -> bool:
    """Whether something that came `now` changes when the engine is to be looked after: at once if it is idle, else after
    the step under way if a slot is free."""
    if ints[engine + of.READING] >= 0:
        return False
    if ints[engine + of.ACTIVE] == 0:
        sooner = reals[engine + of.WAKE] != now
        reals[engine + of.WAKE] = now
        return sooner
    if ints[engine + of.ACTIVE] >= slots:
        return False
    steps = 1
    if reals[engine + of.PACE] > 0.0:
        steps = max(1, math.ceil((now - reals[engine + of.BEGAN]) / reals[engine + of.PACE]))
        while reals[engine + of.BEGAN] + steps * reals[engine + of.PACE] < now:
            steps += 1
    if steps >= ints[engine + of.STRETCH]:
        return False
    ints[engine + of.STRETCH] = steps
    reals[engine + of.WAKE] = reals[engine + of.BEGAN] + steps * reals[engine + of.PACE]
    return True


@compiled
def reading_seconds(ints: Any, reals: Any, station: int, request: int, call: int, turn: int) -> float:
    """How long the prompt of an attempt is read."""
    which = ints[call + at.PROMPT_DRAW]
    tokens = draws.draw(ints, reals, which, ints[call + at.CALL_KEY], request, turn, draws.PROMPT)
    tokens = math.ceil(tokens) + reals[call + at.PROMPT_GROWTH] * turn
    return reals[station + at.PREFILL] + tokens * reals[station + at.PREFILL_TOKEN]


@compiled
def tokens_after_first(ints: Any, reals: Any, request: int, call: int, turn: int) -> int:
    """How many tokens an attempt writes after its first one."""
    which = ints[call + at.OUTPUT_DRAW]
    tokens = draws.draw(ints, reals, which, ints[call + at.CALL_KEY], request, turn, draws.OUTPUT)
    return max(0, math.ceil(tokens) - 1)


@compiled
def begin_stretch(ints: Any, reals: Any, station: int, engine: int, now: float) -> None:
    """Nothing is admitted: all steps until the one that ends the next sequence are alike; without sequences, it idles."""
    reals[engine + of.BEGAN] = now
    if ints[engine + of.ACTIVE] == 0:
        ints[engine + of.STRETCH] = 0
        reals[engine + of.WAKE] = math.inf
        return
    ints[engine + of.STRETCH] = ints[engine + of.SLOTS] - ints[engine + of.STEPS]
    reals[engine + of.PACE] = reals[station + at.STEP] + ints[engine + of.ACTIVE] * reals[station + at.STEP_SEQUENCE]
    reals[engine + of.WAKE] = now + ints[engine + of.STRETCH] * reals[engine + of.PACE]


@compiled
def put_slot(ints: Any, engine: int, size: int, step: int, job: int) -> None:
    """A sequence that ends with `step` joins an engine's heap of `size`."""
    base, place = engine + of.SLOTS, size
    while place > 0 and ints[base + 2 * ((place - 1) >> 1)] > step:
        above = base + 2 * ((place - 1) >> 1)
        ints[base + 2 * place], ints[base + 2 * place + 1] = ints[above], ints[above + 1]
        place = (place - 1) >> 1
    ints[base + 2 * place], ints[base + 2 * place + 1] = step, job


@compiled
def take_slot(ints: Any, engine: int, size: int) -> None:
    """The sequence that ends first leaves an engine's heap of `size`."""
    base, size = engine + of.SLOTS, size - 1
    step, job, spot, child = ints[base + 2 * size], ints[base + 2 * size + 1], base, 1
    while child < size:
        below = base + 2 * child
        if child + 1 < size and ints[below + 2] < ints[below]:
            below, child = below + 2, child + 1
        if step <= ints[below]:
            break
        ints[spot], ints[spot + 1] = ints[below], ints[below + 1]
        spot, child = below, 2 * child + 1
    ints[spot], ints[spot + 1] = step, job


@compiled
def engine_arrives(ints: Any, reals: Any, now: float, station: int, job: int) -> None:
    """A job stands in line at an engine."""
    engine = least_loaded(ints, station)
    ints[job + of.PLACE], ints[job + of.LINK], ints[job + of.SERVER] = of.QUEUED, -1, engine
    if ints[engine + of.E_HEAD] < 0:
        ints[engine + of.E_HEAD] = job
    else:
        ints[ints[engine + of.E_TAIL] + of.LINK] = job
    ints[engine + of.E_TAIL] = job
    ints[engine + of.E_WAITS] += 1
    if interrupt(ints, reals, engine, ints[station + at.PLACES], now):
        notify(ints, reals, reals[engine + of.WAKE], station, of.WAKE_UP, engine)


@compiled
def engine_cancels(ints: Any, reals: Any, now: float, station: int, job: int) -> None:
    """A sequence is not wanted any more: it is removed when its prompt is read, or after the step under way."""
    engine = ints[job + of.SERVER]
    ints[engine + of.PURGE] = 1
    if interrupt(ints, reals, engine, 1 << 40, now):
        notify(ints, reals, reals[engine + of.WAKE], station, of.WAKE_UP, engine)


@compiled
def purge(ints: Any, engine: int) -> None:
    """Remove the sequences that nobody wants; their rows are free again."""
    ints[engine + of.PURGE] = 0
    kept, size = 0, ints[engine + of.ACTIVE]
    for index in range(size):
        spot = engine + of.SLOTS + 2 * index
        step, job = ints[spot], ints[spot + 1]
        if ints[job + of.FLAG] == of.GONE:
            ints[job + of.LINK] = ints[of.UNUSED]
            ints[of.UNUSED] = job
            ints[of.FREE_JOBS] += 1
        else:
            put_slot(ints, engine, kept, step, job)
            kept += 1
    ints[engine + of.ACTIVE] = kept
