"""Lasting: how often as many replicas are there as a load needs, where machines fail and others take their place.

A machine fails once a month or so, which no simulation of minutes shows; but how many of n replicas are up at a moment is
known exactly. Each is up for the share mtbf / (mtbf + repair) of the time, whatever the others are: a binomial distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, exp, fsum, lgamma, log, log1p, sqrt
from typing import Final

from parti.errors import DeclarationError, UsageError
from parti.planning.prices import PriceList
from parti.units import Seconds, seconds

WEIGHTY: Final = 12.0
"""Numbers further from the mean than so many standard deviations (and as many more) weigh nothing: below 1e-30."""


@dataclass(frozen=True, slots=True)
class Failures:
    """A replica serves for `mtbf` seconds in the mean, and then not for `repair` seconds, until another one serves in its place.

    `repair` is all of it: until the failure is noticed, until there is a machine, and the cold start there.
    """

    mtbf: Seconds
    repair: Seconds

    @property
    def up(self) -> float:
        """The share of time for which a replica serves (0 to 1)."""
        return self.mtbf / (self.mtbf + self.repair)


def failures_of(text: str) -> Failures:
    """``30d/5m``: a failure in 30 days, and 5 minutes until another one serves. Raises P838 for anything else."""
    mtbf, slash, repair = text.partition("/")
    try:
        if slash:
            return Failures(seconds(mtbf.strip()), seconds(repair.strip()))
    except DeclarationError as wrong:
        raise _not_understood(text) from wrong
    raise _not_understood(text)


def _not_understood(text: str) -> UsageError:
    what = f"{text!r} does not say how often a machine fails"
    return UsageError("P838", what, fix="write 30d/5m: once in 30 days, and 5 minutes until another one serves")


def there(replicas: int, least: int, up: float) -> float:
    """How probably `least` or more of so many replicas serve, each with the probability `up`. O(root of replicas).

    A sum of the binomial distribution by logarithms, over those numbers of replicas that are down which have any weight.
    """
    if least > replicas:
        return 0.0
    down = 1.0 - up
    if least <= 0 or down <= 0.0:
        return 1.0
    mean, spread = replicas * down, WEIGHTY * (1.0 + sqrt(replicas * down * up))
    first, last = max(0, int(mean - spread)), min(replicas - least, ceil(mean + spread))
    whole = lgamma(replicas + 1)
    return min(
        1.0,
        fsum(
            exp(
                whole - lgamma(one + 1) - lgamma(replicas - one + 1) + one * log(down) + (replicas - one) * log1p(-down)
            )
            for one in range(first, last + 1)
        ),
    )


def least_serving(replicas: int, serves: Callable[[int], bool]) -> int:
    """The fewest replicas, of so many at most, that serve a load; one more than there are where none do. O(log replicas) questions."""
    low, high = 1, replicas + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if serves(middle) else (middle + 1, high)
    return low


def failures_on(prices: PriceList, machine: str, others: Failures | None) -> Failures | None:
    """How often a machine of the list fails: as the list says, else as `others` do; None where nobody said."""
    listed = prices.machine(machine) if machine else None
    if listed is None:
        return None
    return Failures(listed.mtbf, listed.repair) if listed.mtbf > 0 else others
