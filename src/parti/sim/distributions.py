"""Distributions: how long work takes (seconds) or how many tokens it has, as frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """Always `mean`, which is at least 0."""

    mean: float


@dataclass(frozen=True, slots=True)
class Exponential:
    """Memoryless with `mean` > 0; its coefficient of variation is 1."""

    mean: float


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Lognormal by its own `mean` > 0 and coefficient of variation `cv` > 0 (not those of its logarithm)."""

    mean: float
    cv: float


@dataclass(frozen=True, slots=True)
class Gamma:
    """Gamma by its `mean` > 0 and coefficient of variation `cv` > 0; its shape is 1 / cv²."""

    mean: float
    cv: float


@dataclass(frozen=True, slots=True)
class Empirical:
    """What was measured, as quantiles at equal distances from the least to the greatest; between them it is linear.

    `quantiles` has at least two values, ascending and not negative. `Empirical.of` makes it from samples.
    """

    quantiles: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean of the piecewise linear distribution."""
        inner = sum(self.quantiles) - 0.5 * (self.quantiles[0] + self.quantiles[-1])
        return inner / (len(self.quantiles) - 1)

    def thinned(self, count: int) -> tuple[float, ...]:
        """So many values of it, at equal ranks; at least two."""
        step = (len(self.quantiles) - 1) / (count - 1)
        return tuple(_between(self.quantiles, number * step) for number in range(count))

    @staticmethod
    def of(samples: Sequence[float], *, knots: int = 1025) -> Empirical:
        """The distribution of `samples` (at least one), kept as at most `knots` quantiles.

        Few samples are kept as they are, so that nothing is smoothed; more than `knots` are thinned at equal ranks.
        """
        ordered = sorted(float(sample) for sample in samples)
        if len(ordered) == 1:
            return Empirical((ordered[0], ordered[0]))
        if len(ordered) <= knots:
            return Empirical(tuple(ordered))
        step = (len(ordered) - 1) / (knots - 1)
        return Empirical(tuple(_between(ordered, index * step) for index in range(knots)))


def _between(ordered: Sequence[float], position: float) -> float:
    low = min(int(position), len(ordered) - 2)
    share = position - low
    return ordered[low] * (1.0 - share) + ordered[low + 1] * share


Distribution = Constant | Exponential | Lognormal | Gamma | Empirical
