"""Bounds: what the stages that are not chosen yet cost at least, and how good they can be at most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from parti.optimise.menus import Menu
from parti.optimise.oracle import RELAXED, Oracle
from parti.optimise.problem import Problem
from parti.optimise.quality import Quality, keeps

Front = list[tuple[float, float]]
"""Pairs of cost and quality term, costs and terms ascending: what is cheaper is worse."""

FRONT_MAX: Final = 128


class Bounds:
    """Lower bounds on cost and upper bounds on quality, for the stages from each number on.

    ``rest[k]`` is what the stages from k on cost at least, USD per hour; ``rest[stages]`` is 0. The strict bounds take the
    cheapest choice of each menu. With `fitting` they leave out choices that fail alone, all other stages relaxed: that is a
    bound only if waiting in one stage never helps in another. `raise_to` takes what a search of the later stages proved.
    """

    def __init__(self, oracle: Oracle, menus: Sequence[Menu], *, fitting: bool) -> None:
        problem = oracle.problem
        self._oracle, self._menus, self._fitting = oracle, menus, fitting
        self.best = _best_terms(problem, menus)
        self._fronts = _fronts(problem, menus) if oracle.promise.quality_least > 0 else []
        self.rest = [0.0] * (len(menus) + 1)
        for stage in reversed(range(len(menus))):
            self.rest[stage] = self.rest[stage + 1] + self._cheapest(stage)

    def _cheapest(self, stage: int) -> float:
        """The cost of the cheapest admitted choice; infinite without one."""
        number = 0
        while (cost := self._menus[stage].cost(number)) is not None:
            if self.admits(stage, number):
                return cost
            number += 1
        return math.inf

    def admits(self, stage: int, number: int) -> bool:
        """Whether a choice can be part of a plan that keeps its seconds, as far as these bounds can tell."""
        if not self._fitting:
            return True
        alone = (*[RELAXED] * stage, self._menus[stage].choice(number))
        return self._oracle.fits(alone)

    def raise_to(self, stage: int, cost: float) -> None:
        """The stages from `stage` on cost at least so much."""
        self.rest[stage] = max(self.rest[stage], cost)

    def with_quality(self, stage: int, term: float) -> float:
        """What the stages from `stage` on cost at least, if those before have this quality term; infinite if too bad."""
        least = self._oracle.promise.quality_least
        if not self._fronts:
            return self.rest[stage]
        fold = self._oracle.problem.quality.fold
        for cost, rest in self._fronts[stage]:
            if keeps(fold(term, rest), least):
                return max(cost, self.rest[stage])
        return math.inf


def _best_terms(problem: Problem, menus: Sequence[Menu]) -> list[float]:
    """The best quality term of the stages before each number, for searches that begin there."""
    best = [problem.quality.empty]
    for stage, menu in zip(problem.stages, menus, strict=True):
        terms = (
            max((problem.quality.term(part.name, option.quality) for option in options), default=0.0)
            for part, options in zip(stage.parts, menu.parts, strict=True)
        )
        best.append(problem.quality.fold(best[-1], problem.quality.of(terms)))
    return best


def _fronts(problem: Problem, menus: Sequence[Menu]) -> list[Front]:
    """For each number the front of the stages from there on, each part for itself, without regard to time."""
    fronts: list[Front] = [[(0.0, problem.quality.empty)]]
    for stage, menu in reversed(list(zip(problem.stages, menus, strict=True))):
        front = fronts[-1]
        for part, options in zip(stage.parts, menu.parts, strict=True):
            terms = [(option.cost, problem.quality.term(part.name, option.quality)) for option in options]
            front = joined(front, terms, problem.quality)
        fronts.append(front)
    return fronts[::-1]


def joined(front: Front, terms: Front, quality: Quality) -> Front:
    """The front of all pairs of the two, at most `FRONT_MAX` long: neighbours then merge to the cost of one and the term of the other."""
    pairs = sorted(
        ((one[0] + other[0], quality.fold(one[1], other[1])) for one in front for other in terms),
        key=lambda pair: (pair[0], -pair[1]),
    )
    kept: Front = []
    for pair in pairs:
        if not kept or pair[1] > kept[-1][1]:
            kept.append(pair)
    while len(kept) > FRONT_MAX:
        ends = [kept[min(index + 1, len(kept) - 1)][1] for index in range(0, len(kept), 2)]
        kept = [(pair[0], end) for pair, end in zip(kept[::2], ends, strict=True)]
    return kept
