"""One stage simulated: by the kernel of its only station, or by the event loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parti.sim import layout as at
from parti.sim import state as of
from parti.sim.compiled import np
from parti.sim.flows import Ends, Flow, no_ends
from parti.sim.looping import by_events, cells_of_engine
from parti.sim.queueing import chosen_targets, gated_all, gathered, run_batches, run_fifo
from parti.sim.writing import run_engines

if TYPE_CHECKING:
    from parti.sim.packing import Packed


@dataclass(frozen=True, slots=True)
class Ran:
    """What a stage did: branches that left and that ended badly, and its own figures.

    `packed` holds the totals of its stations; `parts` (requests, 4 x its calls) and `via` (requests, its calls) are empty where
    nobody asked. `events` counts arrivals, starts and departures.
    """

    leaving: Flow
    ends: Ends
    packed: Packed
    parts: Any
    via: Any
    events: int


def run_stage(packed: Packed, flow: Flow, requests: int, *, events: bool) -> Ran:
    """Simulate the calls that are inside `packed`, which `flow` comes to; `requests` are in the whole load."""
    ints = packed.ints
    calls = int(ints[at.JOINED])
    parts = np.zeros((requests, 4 * calls) if ints[at.PARTED] else (0, 0))
    rows = np.zeros((requests, int(ints[at.WIDTH])) if events or _counts(packed) else (0, 0), np.int32)
    if ints[at.VIA] >= 0:
        rows[:, ints[at.VIA] :] = -2
    run = by_events if events else _by_station
    leaving, ends, happened = run(packed, flow, rows, parts)
    via = rows[:, ints[at.VIA] :] if ints[at.VIA] >= 0 else rows[:, :0]
    return Ran(leaving, ends, packed, parts, via, happened)


def _counts(packed: Packed) -> bool:
    """Whether a request may come to one call twice, or branches are joined."""
    return bool(packed.ints[at.VIA] >= 0 or packed.ints[at.HELD] > packed.ints[at.JOINED])


def _by_station(packed: Packed, flow: Flow, rows: Any, parts: Any) -> tuple[Flow, Ends, int]:
    """The same as `by_events`, for one station that needs no event loop."""
    if not len(flow):
        return flow, no_ends(), 0
    ints, reals = packed.ints, packed.reals
    station = int(ints[flow.calls[0] + at.OF])
    turns = np.zeros(len(flow), np.int64)
    stuck = np.zeros(0, np.int64)
    if len(rows):
        kept = np.empty(len(flow), np.int64)
        number = gathered(ints, rows, flow.requests, flow.calls, flow.sources, turns, kept)
        flow, turns = flow.chosen(kept[:number]), turns[:number]
        stuck = np.flatnonzero(rows[:, ints[at.JOINED] : ints[at.HELD]].any(axis=1))
    happened, entry, ends = len(flow), flow.times, no_ends()
    if ints[station + at.RATED]:
        entry, passed = np.empty(len(flow)), np.empty(len(flow), np.bool_)
        gated_all(ints, reals, station, flow.times, entry, passed)
        ends = _rejected(flow.times, flow.requests, ~passed)
        flow, turns, entry = flow.chosen(passed), turns[passed], entry[passed]
    depart, order = np.empty(len(flow)), np.empty(len(flow), np.int64)
    if ints[station + at.HOW] == at.ENGINE:
        kernel = run_engines
        ints, reals = _with_engines(ints, reals, station)
    else:
        roomy = ints[station + at.ROOM] > len(flow) and ints[station + at.HOW] == at.PLAIN
        kernel = run_fifo if roomy else run_batches
    left = kernel(ints, reals, parts, station, flow.times, entry, flow.requests, flow.calls, turns, depart, order)
    packed.ints[station : station + at.STATION] = ints[station : station + at.STATION]
    packed.reals[station : station + at.STATION] = reals[station : station + at.STATION]
    if left < len(flow):
        ends = ends.joined(_rejected(entry, flow.requests, np.isnan(depart)))
    leaving = _leaving(packed, flow, turns, depart, order[:left])
    return leaving, ends.with_stuck(stuck), happened + 2 * left


def _rejected(times: Any, requests: Any, which: Any) -> Ends:
    number = int(which.sum())
    return Ends(times[which], requests[which], np.full(number, at.REJECTED, np.int64))


def _with_engines(ints: Any, reals: Any, station: int) -> tuple[Any, Any]:
    cells, number = cells_of_engine(int(ints[station + at.PLACES])), int(ints[station + at.REPLICAS])
    first = len(ints)
    ints = np.concatenate([ints, np.zeros(number * cells, np.int64)])
    reals = np.concatenate([reals, np.zeros(number * cells)])
    each = first + np.arange(number) * cells
    ints[each + of.E_HEAD] = ints[each + of.READING] = -1
    reals[each + of.WAKE] = np.inf
    ints[station + at.FIRST] = first
    return ints, reals


def _leaving(packed: Packed, flow: Flow, turns: Any, depart: Any, order: Any) -> Flow:
    """What leaves goes where its route says; a fork makes branches of it."""
    ints, reals = packed.ints, packed.reals
    own = [call for call in packed.calls if ints[call + at.INSIDE]]
    if len(own) == 1 and ints[own[0] + at.NEXT_HOW] == at.ONE:  # the most frequent case needs no look at each
        target, number = ints[ints[own[0] + at.TARGET]], ints[own[0] + at.NUMBER]
        return Flow(depart[order], flow.requests[order], np.full(len(order), target), np.full(len(order), number))
    goes = np.empty(len(flow), np.int64)
    chosen_targets(ints, reals, flow.requests, flow.calls, turns, goes)
    calls = flow.calls[order]
    made = Flow(depart[order], flow.requests[order], goes[order], ints[calls + at.NUMBER])
    forks = [call for call in own if ints[call + at.NEXT_HOW] == at.FORK]
    pieces = [made]
    for call in forks:
        branch = made.chosen(calls == call)
        for target in range(1, int(ints[call + at.TARGETS])):
            where = int(ints[ints[call + at.TARGET] + target])
            pieces.append(Flow(branch.times, branch.requests, np.full(len(branch), where), branch.sources))
    if len(pieces) == 1:
        return made
    return Flow(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in Flow.__slots__))
