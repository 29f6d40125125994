"""What few numbers can tell: intervals of a mean, and whether one of two is better; all of it pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from random import Random
from typing import Final, NamedTuple

Z: Final = 1.959963984540054
"""The normal quantile of a two-sided 95 %."""

DRAWS: Final = 2_000
"""Resamples of a bootstrap: its ends are then off by about a tenth of its width at most."""


class Interval(NamedTuple):
    """Where the true mean lies with 95 % confidence."""

    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    """The 95 % interval of a share, after Wilson (1927): honest for few trials, and for none or all successes.

    Without trials it is all of [0, 1].
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    share, square = successes / trials, Z * Z
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    half = Z / (1 + square / trials) * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    # Nothing and everything are ends of their own; rounding would put them a hair inside.
    return Interval(
        0.0 if successes == 0 else max(0.0, centre - half), 1.0 if successes == trials else min(1.0, centre + half)
    )


def bootstrap(values: Sequence[float], seed: int = 0) -> Interval:
    """The 95 % percentile interval of a mean (Efron, 1979), the same for the same values.

    The resampled means are spread by ``sqrt(n / (n - 1))`` around the mean: without that, few values look too sure. O(n)
    for each of DRAWS resamples. One value alone says nothing: the interval is then all of what scores or their
    differences can be.
    """
    count = len(values)
    if count < 2:
        return Interval(-1.0 if values and values[0] < 0 else 0.0, 1.0)
    chance, mean = Random(seed), sum(values) / count
    wider = sqrt(count / (count - 1))
    means = sorted(mean + wider * (sum(chance.choices(values, k=count)) / count - mean) for _ in range(DRAWS))
    return Interval(quantile(means, 0.025), quantile(means, 0.975))


def interval_of_scores(scores: Sequence[float]) -> Interval:
    """The 95 % interval of the mean of scores from 0 to 1: Wilson's where each is 0 or 1, else a bootstrap within [0, 1]."""
    if all(score in (0.0, 1.0) for score in scores):
        return wilson(round(sum(scores)), len(scores))
    low, high = bootstrap(scores)
    return Interval(max(0.0, low), min(1.0, high))


def sign_test(better: int, worse: int) -> float:
    """The exact two-sided p of so many pairs being better and worse, ties left out. For scores of 0 and 1 it is McNemar's.

    O(pairs) steps on whole numbers of as many bits.
    """
    pairs, ways, tail = better + worse, 1, 1
    for k in range(min(better, worse)):
        ways = ways * (pairs - k) // (k + 1)  # of choosing k + 1 out of all
        tail += ways
    return min(1.0, float(2 * tail / 2**pairs))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie: the nearest rank. 0 without values."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0.0
