"""Branch and bound: depth first over the stages, cheapest choices first, in passes of rising cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parti.optimise.bounds import Bounds
from parti.optimise.menus import Menu
from parti.optimise.oracle import RELAXED, LimitReached, Oracle, Prefix
from parti.optimise.problem import Choice
from parti.optimise.quality import keeps

STEP: Final = 0.25
"""A pass goes so far from what is proved towards the best known: short passes prove cheap plans away early."""


@dataclass(slots=True)
class Incumbent:
    """The cheapest found so far: its cost in USD per hour (infinite: none), and its prefix."""

    cost: float = math.inf
    prefix: Prefix = ()


class Branching:
    """The search of the stages from `first` on, those before relaxed, for the cheapest choices that keep the promise.

    A pass visits every prefix whose bound is below its threshold: a prefix is cut when its cost and the least cost of the
    rest reach the threshold or the incumbent, when its requests are already too late, or when it can no longer be good
    enough. A pass that ends proves that nothing is cheaper than its threshold. Depth first needs one prefix a stage, and
    verdicts are remembered from pass to pass, so the passes together cost little more than the last.
    """

    def __init__(self, oracle: Oracle, menus: Sequence[Menu], bounds: Bounds, *, first: int, known: Incumbent) -> None:
        self.lower = bounds.rest[first]
        """What is proved: no choices of these stages that keep the promise cost less, USD per hour."""
        self.best = known
        self._oracle, self._menus, self._bounds, self._first = oracle, menus, bounds, first
        self._threshold = 0.0
        self._beyond = math.inf

    def run(self) -> bool:
        """Search until nothing cheaper is left; False if a limit is reached before."""
        try:
            while self.lower < self.best.cost:
                self._pass(self._next())
        except LimitReached:
            return False
        return True

    def _next(self) -> float:
        if math.isinf(self.best.cost):
            return self.lower * (1 + STEP) + 1e-9
        threshold = self.lower + STEP * (self.best.cost - self.lower)
        return threshold if threshold < 0.995 * self.best.cost else self.best.cost

    def _pass(self, threshold: float) -> None:
        self._threshold, self._beyond = threshold, math.inf
        prefix: Prefix = (RELAXED,) * self._first
        self._down(prefix, 0.0, self._bounds.best[self._first])
        self.lower = max(self.lower, min(self._beyond, self.best.cost))

    def _down(self, prefix: Prefix, cost: float, term: float) -> None:
        stage = len(prefix)
        menu, rest = self._menus[stage], self._bounds.rest[stage + 1]
        number = 0
        while (own := menu.cost(number)) is not None:
            if self._cut(cost + own + rest):
                return
            self._try(prefix, number, cost + own, term)
            number += 1

    def _cut(self, least: float) -> bool:
        """Whether what costs at least so much is left to a later pass, or for good."""
        if least < min(self._threshold, self.best.cost):
            return False
        self._beyond = min(self._beyond, least)
        return True

    def _try(self, prefix: Prefix, number: int, cost: float, term: float) -> None:
        stage = len(prefix)
        choice: Choice = self._menus[stage].choice(number)
        term = self._oracle.problem.quality.fold(term, self._oracle.problem.term(stage, choice))
        if self._cut(cost + self._bounds.with_quality(stage + 1, term)) or not self._bounds.admits(stage, number):
            return
        self._oracle.check()
        longer = (*prefix, choice)
        if not self._oracle.fits(longer):
            return
        if stage + 1 < len(self._menus):
            self._down(longer, cost, term)
        elif keeps(term, self._oracle.promise.quality_least):
            self.best = Incumbent(cost, longer)
