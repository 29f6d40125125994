"""Sampling: the requests of a workload, drawn from a seed."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from parti.extras import need
from parti.planning.blueprint import Blueprint
from parti.planning.load import Stream, Workload
from parti.sim import draws
from parti.sim.arrivals import times_of
from parti.sim.load import Load
from parti.units import Seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def sample(workload: Workload, blueprint: Blueprint, *, seconds: Seconds, seed: int) -> Load:
    """What arrives in the first `seconds`, all streams together in order of arrival, and where each request enters.

    The same seed gives the same requests for every plan. Raises P803.
    """
    np = need("numpy", extra="plan", purpose="planning")
    places = {call.name: index for index, call in enumerate(blueprint.calls)}
    numbers = {entry: places[call] for entry, call in blueprint.entries.items()}
    times, entries = [], []
    for number, stream in enumerate(workload.streams):
        name = f"stream {number}"
        arrived = times_of(stream.arrivals, seconds=seconds, seed=seed, name=name)
        times.append(arrived)
        entries.append(_entries(np, stream, numbers, len(arrived), seed, name))
    together = np.concatenate(times)
    order = np.argsort(together, kind="stable")
    return Load(together[order], np.concatenate(entries)[order])


def _entries(np: Any, stream: Stream, numbers: dict[str, int], count: int, seed: int, name: str) -> NDArray[np.int64]:
    """For each request of a stream the place where it enters, by the stream's shares."""
    chosen = np.array([numbers[entry] for entry, _ in stream.entries], np.int64)
    if len(chosen) == 1:
        return np.full(count, chosen[0])
    bounds = np.array(list(accumulate(share for _, share in stream.entries)))
    key = draws.key_of(seed, f"entries of {name}")
    drawn = np.array([draws.unit(key, request, 0, draws.ARRIVAL, 0) for request in range(count)])
    return chosen[np.minimum(np.searchsorted(bounds, drawn * bounds[-1]), len(chosen) - 1)]
