"""Replications: independent runs of one network, intervals of what they found, and plans compared draw for draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parti.sim.load import Arrivals
from parti.sim.network import Network
from parti.sim.result import Simulated

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

    `seconds` of arrivals are simulated, the first `warmup` of them are left out. Raises as `simulate`.
    """
    raise NotImplementedError


def interval(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """The interval of a mean of independent replications, by Student's t. Raises P804 with fewer than two values."""
    raise NotImplementedError


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
    raise NotImplementedError
