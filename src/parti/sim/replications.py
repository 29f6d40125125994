"""Replications: independent runs of one network, intervals of what they found, and plans compared draw for draw.

One long run says little about its own error: requests near each other wait together, so the binomial interval of a p99 from
50,000 requests at use 0.9 covers the truth in 5% of all cases. Independent runs are all that is assumed here.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parti.errors import PlanError
from parti.extras import need
from parti.sim.load import Arrivals
from parti.sim.network import Network
from parti.sim.result import Simulated
from parti.sim.simulating import simulate
from parti.student import t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Measure = Callable[[Simulated], float]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over `count` replications, and the interval that holds the true mean with probability `level` (Student's t)."""

    mean: float
    low: float
    high: float
    count: int
    level: float


def replicate(
    network: Network,
    arrivals: Arrivals,
    measures: Mapping[str, Measure],
    *,
    seconds: float,
    warmup: float,
    seeds: Sequence[int],
) -> dict[str, NDArray[np.float64]]:
    """What each measure is in each replication: arrays of shape (seeds,). Each seed has arrivals and draws of its own.

    `seconds` of arrivals are simulated, the first `warmup` of them are left out. Measures see a result without parts.
    Raises as `simulate`.
    """
    numpy = need("numpy", extra="plan", purpose="simulation")
    from parti.sim.arrivals import load_of  # noqa: PLC0415 - numba is imported once a simulation starts

    found: dict[str, list[float]] = {name: [] for name in measures}
    for seed in seeds:
        load = load_of(arrivals, seconds=seconds, seed=seed)
        simulated = simulate(network, load, seed=seed, warmup=warmup, parts=False)
        for name, measure in measures.items():
            found[name].append(measure(simulated))
    return {name: numpy.array(values, numpy.float64) for name, values in found.items()}


def interval(values: Sequence[float] | NDArray[np.float64], *, level: float = 0.95) -> Interval:
    """The interval of a mean of independent replications, by Student's t.

    Where a value is infinite (a promise broken beyond measure), so are the mean and the upper end.
    Raises P804 with fewer than two values, or a level that is not between 0 and 1.
    """
    numbers, count = [float(value) for value in values], len(values)
    if count < 2 or not 0 < level < 1:
        raise PlanError(
            "P804", f"{count} replications give no interval of level {level:g}", fix="replicate with more seeds"
        )
    mean = statistics.fmean(numbers)
    if not math.isfinite(mean):
        return Interval(mean, min(numbers), mean, count, level)
    half = t_quantile(0.5 + 0.5 * level, count - 1) * statistics.stdev(numbers) / math.sqrt(count)
    return Interval(mean, mean - half, mean + half, count, level)


def compare(
    first: Network,
    second: Network,
    arrivals: Arrivals,
    measure: Measure,
    *,
    seconds: float,
    warmup: float,
    seeds: Sequence[int],
    level: float = 0.95,
) -> Interval:
    """By how much `measure` is greater in `second` than in `first`: the interval of the paired differences.

    Both meet the same arrivals and the same draws (common random numbers), so what differs is due to the plans alone.
    """
    one, other = (
        replicate(network, arrivals, {"measure": measure}, seconds=seconds, warmup=warmup, seeds=seeds)["measure"]
        for network in (first, second)
    )
    return interval(other - one, level=level)
