"""Sampling: the requests of a workload, drawn from a seed."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from parti.extras import need
from parti.planning.blueprint import Blueprint
from parti.planning.load import Stream, Workload
from parti.planning.windows import begins
from parti.sim.load import Load, Trace
from parti.units import Seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def sample(workload: Workload, blueprint: Blueprint, *, seconds: Seconds, seed: int) -> Load:
    """What arrives in `seconds`, all streams together in order of arrival, and where each request enters.

    The same seed gives the same requests for every plan. Of another seed they are others: traces are played from another moment
    on, and begin again after their end. Raises P803.
    """
    from parti.sim.arrivals import played, shares_drawn, times_of  # noqa: PLC0415 - numba is imported once a simulation starts

    np = need("numpy", extra="plan", purpose="planning")
    places = {call.name: index for index, call in enumerate(blueprint.calls)}
    starts = begins(workload, seconds=seconds, drawn=float(shares_drawn(seed, "traces", 1)[0]))
    times, entries = [], []
    for number, stream in enumerate(workload.streams):
        name, arrivals = f"stream {number}", stream.arrivals
        if isinstance(arrivals, Trace):
            arrived = played(arrivals, seconds=seconds, begin=starts[arrivals.cycle])
        else:
            arrived = times_of(arrivals, seconds=seconds, seed=seed, name=name)
        chosen = _chosen(np, stream, len(arrived), seed, name)
        for which, (entry, _) in enumerate(stream.entries):
            mine = arrived[chosen == which]
            for call in (blueprint.entries[entry], *blueprint.beside.get(entry, ())):
                times.append(mine)
                entries.append(np.full(len(mine), places[call], np.int64))
    together = np.concatenate(times)
    order = np.argsort(together, kind="stable")
    return Load(together[order], np.concatenate(entries)[order])


def _chosen(np: Any, stream: Stream, count: int, seed: int, name: str) -> NDArray[np.int64]:
    """For each request of a stream which of its entries it comes to, by their shares."""
    from parti.sim.arrivals import shares_drawn  # noqa: PLC0415

    if len(stream.entries) == 1:
        return np.zeros(count, np.int64)
    bounds = np.array(list(accumulate(share for _, share in stream.entries)))
    drawn = shares_drawn(seed, f"entries of {name}", count) * bounds[-1]
    found: NDArray[np.int64] = np.minimum(np.searchsorted(bounds, drawn), len(bounds) - 1)
    return found
