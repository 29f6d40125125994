"""Gathering what the stages found into one result: fates of requests, parts of their time, figures of stations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parti.sim import layout as at
from parti.sim.compiled import np
from parti.sim.flows import joined, joined_ends
from parti.sim.result import Outcome, Parts, Simulated, Totals

if TYPE_CHECKING:
    from parti.sim.simulating import Prefix


def gather(prefix: Prefix) -> Simulated:
    """The result of a prefix that went through all stages."""
    left, outcome, final = _fates(prefix)
    network = prefix.network
    counts = np.zeros((4, len(network.stations)), np.int64)
    sums = np.zeros((2, len(network.stations)))
    for ran in prefix.ran:
        for number in _inside(ran.packed):
            station = ran.packed.stations[number]
            counts[:, number] = ran.packed.ints[station + at.OUTCOMES : station + at.OUTCOMES + 4]
            sums[:, number] = ran.packed.reals[station + at.BUSY], ran.packed.reals[station + at.QUEUED]
    return Simulated(
        network=network,
        seed=prefix.seed,
        warmup=prefix.warmup,
        arrived=np.ascontiguousarray(prefix.load.arrived, np.float64),
        left=left,
        outcome=outcome,
        totals=Totals(*counts, *sums),
        parts=_parts(prefix) if prefix.parts else None,
        via=_via(prefix, final),
        events=sum(ran.events for ran in prefix.ran),
    )


def _inside(packed: Any) -> list[int]:
    """Numbers of the stations that were simulated in a stage."""
    own = {int(packed.ints[call + at.OF]) for call in packed.calls if packed.ints[call + at.INSIDE]}
    return [number for number, station in enumerate(packed.stations) if station in own]


def _fates(prefix: Prefix) -> tuple[Any, Any, Any]:
    """When each request left, how, and the call that ended it (-1 for none)."""
    number = len(prefix.load)
    left, final = np.full(number, np.nan), np.full(number, -1, np.int64)
    outcome = np.full(number, Outcome.UNFINISHED, np.int8)
    ended = joined(prefix.ended)
    left[ended.requests], final[ended.requests] = ended.times, ended.sources  # the last one of each stays
    outcome[ended.requests] = Outcome.DONE
    ends = joined_ends([ran.ends for ran in prefix.ran])
    order = np.lexsort((-ends.outcomes, -ends.times, np.isnan(ends.times)))
    worst = np.concatenate([order[np.isnan(ends.times[order])], order[~np.isnan(ends.times[order])]])
    left[ends.requests[worst]], outcome[ends.requests[worst]] = ends.times[worst], ends.outcomes[worst]
    return left, outcome, final


def _columns(prefix: Prefix) -> list[tuple[int, Any, int]]:
    """For each call that was simulated: its number, its stage, and its column there."""
    return [
        (number, ran, int(ran.packed.ints[call + at.COLUMN]))
        for ran in prefix.ran
        for number, call in enumerate(ran.packed.calls)
        if ran.packed.ints[call + at.INSIDE]
    ]


def _parts(prefix: Prefix) -> Parts:
    made = np.zeros((4, len(prefix.network.all_calls()), len(prefix.load)))
    for number, ran, column in _columns(prefix):
        made[:, number] = ran.parts[:, 4 * column : 4 * column + 4].T
    return Parts(*made)


def _via(prefix: Prefix, final: Any) -> Any:
    """Where the last branch came from, by call; without forks there is nothing to tell."""
    calls = len(prefix.network.all_calls())
    if not any(ran.via.shape[1] for ran in prefix.ran):
        return np.zeros((calls + 1, 0), np.int16)
    made = np.full((calls + 1, len(prefix.load)), -2, np.int16)
    for number, ran, column in _columns(prefix):
        made[number] = ran.via[:, column]
    made[calls] = final
    return made
