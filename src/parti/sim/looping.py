"""Running the event loop over one stage: arrays are made for it, and enlarged when it says that they are full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parti.sim import layout as at
from parti.sim import state as of
from parti.sim.compiled import np
from parti.sim.events import FULL, run_events
from parti.sim.flows import Ends, Flow

if TYPE_CHECKING:
    from parti.sim.packing import Packed

ROOM_FIRST = 4096


def by_events(stage: Packed, flow: Flow, rows: Any, parts: Any) -> tuple[Flow, Ends, int]:
    """What leaves the stage, what ended in it, and how many events happened. Totals are in the stage's own arrays.

    `stage` is a network of which some stations are inside, `flow` all that comes to them. `rows` (int32, requests x
    ``ints[WIDTH]``) and `parts` (float64, requests x 4 calls, or empty) are filled in place.
    """
    outside = _outside(stage, flow)
    spare = _spare(stage)
    ints, reals = _with_state(stage, spare, len(flow))
    while run_events(ints, reals, rows, parts, *outside, spare) == FULL:
        ints, reals = _roomier(ints, reals, spare)
    left = _gone(ints, reals, of.OUT, of.OUTS)
    ends = _gone(ints, reals, of.ENDED, of.ENDS)
    joins = rows[:, ints[at.JOINED] : ints[at.HELD]]
    stuck = np.flatnonzero(joins.any(axis=1)) if joins.shape[1] else np.zeros(0, np.int64)
    joins[:] = 0
    for station in stage.stations:
        stage.ints[station : station + at.STATION] = ints[station : station + at.STATION]
        stage.reals[station : station + at.STATION] = reals[station : station + at.STATION]
    return Flow(*left), Ends(*ends[:3]).with_stuck(stuck), int(ints[of.HAPPENED])


def _gone(ints: Any, reals: Any, count: int, where: int) -> tuple[Any, Any, Any, Any]:
    first, cells = int(ints[where]), of.GONE_CELLS
    end = first + int(ints[count]) * cells
    return reals[first:end:cells].copy(), *(ints[first + field : end + field : cells].copy() for field in range(cells))


def _outside(stage: Packed, flow: Flow) -> tuple[Any, Any, Any, Any, Any]:
    numbers = stage.ints[flow.calls + at.NUMBER]
    ranks = stage.ints[stage.ints[flow.calls + at.OF] + at.RANK]
    keys = ((ranks * 8 + of.ARRIVE) << 50) | (flow.requests << 20) | (numbers << 10) | (flow.sources + 1)
    columns = (flow.times, keys, flow.requests, flow.calls, flow.sources)
    if len(flow) and ranks.min() != ranks.max():
        order = np.lexsort((keys, flow.times))
        columns = tuple(column[order] for column in columns)
    return columns


def _spare(stage: Packed) -> int:
    """How much room one event may need: the largest batch, engine or replica, times the widest fork."""
    ints = stage.ints
    widest = max(int(ints[call + at.TARGETS]) for call in stage.calls)
    crowd = max(
        int(ints[station + at.SIZE] * (ints[station + at.PLACES] if ints[station + at.HOW] >= at.FRAGILE else 1))
        for station in stage.stations
    )
    fragile = [int(ints[station + at.REPLICAS]) for station in stage.stations if ints[station + at.HOW] == at.FRAGILE]
    return (crowd + 1) * (widest + 1) + sum(fragile) + 16


def _with_state(stage: Packed, spare: int, coming: int) -> tuple[Any, Any]:
    """The arrays of the network with queues, servers, engines, and room for jobs and events behind them."""
    ints, reals = stage.ints.copy(), stage.reals.copy()
    for station in stage.stations:
        ints[[station + of.HEAD, station + of.TAIL, station + of.SOONEST, station + of.LAST]] = -1
        reals[[station + of.DUE, station + of.CHECK]] = -np.inf, np.inf
    inside = {int(ints[call + at.OF]) for call in stage.calls if ints[call + at.INSIDE]}
    for station in sorted(inside):
        if ints[station + at.HOW] != at.PLAIN:
            ints, reals = _with_crowd(ints, reals, station)
    ints[of.AT_ONCE], ints[of.UNUSED] = -1, -1
    room = ROOM_FIRST + 2 * spare
    ints, reals = _with_jobs(ints, reals, room)
    for base, size, cells in REGIONS:
        number = room + coming if base == of.OUTS else room
        ints, reals, where = _longer(ints, reals, number * cells)
        ints[base], ints[size] = where, number
    return ints, reals


REGIONS = (
    (of.HEAP, of.HEAP_ROOM, of.EVENT),
    (of.OUTS, of.OUT_ROOM, of.GONE_CELLS),
    (of.ENDS, of.END_ROOM, of.GONE_CELLS),
)


def _longer(ints: Any, reals: Any, cells: int) -> tuple[Any, Any, int]:
    old = len(ints)
    more, real = (
        np.zeros(old + cells, np.int64),
        np.zeros(old + cells),
    )  # of pages that nobody touches nothing comes true
    more[:old], real[:old] = ints, reals
    return more, real, old


def _with_crowd(ints: Any, reals: Any, station: int) -> tuple[Any, Any]:
    """Servers or engines of a station that are told apart."""
    engine = ints[station + at.HOW] == at.ENGINE
    cells = cells_of_engine(int(ints[station + at.PLACES])) if engine else of.SERVER_CELLS
    number = int(ints[station + (at.REPLICAS if engine else at.SERVERS)])
    ints, reals, first = _longer(ints, reals, number * cells)
    ints[station + at.FIRST] = first
    each = first + np.arange(number) * cells
    if engine:
        ints[each + of.E_HEAD] = ints[each + of.E_TAIL] = ints[each + of.READING] = -1
        ints[each + of.E_STATION] = station
        reals[each + of.WAKE] = np.inf
    else:
        ints[each + of.BATCH], ints[each + of.AT] = -1, station
        reals[each + of.SINCE] = reals[each + of.WARM] = reals[each + of.UP_TO] = -np.inf
    return ints, reals


def cells_of_engine(slots: int) -> int:
    """How many cells an engine takes; `engines.py` has the same for kernels."""
    return of.SLOTS + 2 * (slots + 1)


def _with_jobs(ints: Any, reals: Any, number: int) -> tuple[Any, Any]:
    ints, reals, first = _longer(ints, reals, number * of.JOB)
    each = first + np.arange(number) * of.JOB
    ints[each + of.LINK] = each + of.JOB
    ints[each[-1] + of.LINK] = ints[of.UNUSED]
    ints[of.UNUSED] = first
    ints[of.JOBS] += number
    ints[of.FREE_JOBS] += number
    return ints, reals


def _roomier(ints: Any, reals: Any, spare: int) -> tuple[Any, Any]:
    """The same state with more room where it is short."""
    if ints[of.FREE_JOBS] < spare:
        ints, reals = _with_jobs(ints, reals, int(ints[of.JOBS]))
    used = {of.HEAP: of.EVENTS_NOW, of.OUTS: of.OUT, of.ENDS: of.ENDED}
    for base, size, cells in REGIONS:
        if ints[used[base]] + spare > ints[size]:
            old, room = int(ints[base]), int(ints[size])
            ints, reals, new = _longer(ints, reals, 2 * room * cells)
            ints[new : new + room * cells] = ints[old : old + room * cells]
            reals[new : new + room * cells] = reals[old : old + room * cells]
            ints[base], ints[size] = new, 2 * room
    return ints, reals
