"""What was measured of one quantity: how often, its mean with an interval, and its distribution as quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final

from parti.sim.distributions import Empirical
from parti.student import t_quantile

KNOTS: Final = 513
"""Quantiles that are kept at most; fewer samples are kept as they are."""

BATCHES: Final = 20
"""Neighbours in time are alike, so the interval of many samples is that of the means of so many stretches of them."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A measured quantity (seconds, tokens): `count` samples, their `mean`, and where the true mean lies (95 %).

    `quantiles` are at equal distances from the least to the greatest, at most KNOTS and at least two, so that
    ``Empirical(sampled.quantiles)`` is the distribution. With one sample nothing is known of the interval: then it
    reaches from 0 to twice the sample.
    """

    count: int
    mean: float
    low: float
    high: float
    quantiles: tuple[float, ...]

    @staticmethod
    def of(samples: Sequence[float]) -> Sampled:
        """The samples (at least one, none negative) in the order in which they were taken. O(n log n)."""
        mean = sum(samples) / len(samples)
        half = _half(samples)
        quantiles = Empirical.of(samples, knots=KNOTS).quantiles
        return Sampled(len(samples), mean, max(0.0, mean - half), mean + half, quantiles)

    @property
    def distribution(self) -> Empirical:
        """The distribution that was measured, for the simulator."""
        return Empirical(self.quantiles)

    def quantile(self, level: float) -> float:
        """The value below which the share `level` (0 to 1) lies; between the kept quantiles it is linear."""
        position = level * (len(self.quantiles) - 1)
        at = min(int(position), len(self.quantiles) - 2)
        return self.quantiles[at] + (position - at) * (self.quantiles[at + 1] - self.quantiles[at])

    def differs_from(self, other: Sampled) -> bool:
        """Whether the intervals of the two means lie apart."""
        return self.high < other.low or other.high < self.low


def _half(samples: Sequence[float]) -> float:
    """Half the width of the 95 % interval of the mean: Student's t, over stretches of time where there are many samples."""
    if len(samples) == 1:
        return samples[0]
    values = list(samples)
    if len(samples) >= 4 * BATCHES:
        each = len(samples) / BATCHES
        bounds = [round(each * at) for at in range(BATCHES + 1)]
        values = [sum(samples[a:b]) / (b - a) for a, b in pairwise(bounds)]
    count = len(values)
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    return t_quantile(0.975, count - 1) * sqrt(variance / count)
