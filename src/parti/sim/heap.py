"""The heap of events to come, in order of (time, key)."""

from __future__ import annotations

from typing import Any

from parti.sim import state as of
from parti.sim.compiled import inlined


@inlined
def push(ints: Any, reals: Any, time: float, key: int, load: int) -> None:
    """Add an event. There is room for it."""
    base, at = ints[of.HEAP], ints[of.EVENTS_NOW]
    ints[of.EVENTS_NOW] = at + 1
    while at > 0:
        parent = (at - 1) >> 1
        above = base + parent * of.EVENT
        if reals[above] < time or (reals[above] == time and ints[above] <= key):
            break
        spot = base + at * of.EVENT
        reals[spot], ints[spot], ints[spot + of.LOAD] = reals[above], ints[above], ints[above + of.LOAD]
        at = parent
    spot = base + at * of.EVENT
    reals[spot], ints[spot], ints[spot + of.LOAD] = time, key, load


@inlined
def pop(ints: Any, reals: Any) -> None:
    """Take the first event, which lies at ``ints[HEAP]``, off the heap."""
    base, size = ints[of.HEAP], ints[of.EVENTS_NOW] - 1
    ints[of.EVENTS_NOW] = size
    last = base + size * of.EVENT
    time, key, load = reals[last], ints[last], ints[last + of.LOAD]
    spot, child = base, 1
    while child < size:
        below = base + child * of.EVENT
        other = below + of.EVENT
        if child + 1 < size and (
            reals[other] < reals[below] or (reals[other] == reals[below] and ints[other] < ints[below])
        ):
            below, child = other, child + 1
        if time < reals[below] or (time == reals[below] and key <= ints[below]):
            break
        reals[spot], ints[spot], ints[spot + of.LOAD] = reals[below], ints[below], ints[below + of.LOAD]
        spot, child = below, 2 * child + 1
    reals[spot], ints[spot], ints[spot + of.LOAD] = time, key, load
