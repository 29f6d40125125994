"""Searching: a good plan by climbing, then the cheapest and its proof by branch and bound."""

from __future__ import annotations

import math
from collections.abc import Callable

from parti.optimise.bounds import Bounds
from parti.optimise.branching import Branching, Incumbent
from parti.optimise.climbing import Climbing
from parti.optimise.delays import Delays
from parti.optimise.found import Found, Limits, Proof
from parti.optimise.menus import Menu, menus
from parti.optimise.problem import Plan, Problem, Promise
from parti.optimise.refusing import refuse_budget, refuse_quality, refuse_seconds
from parti.optimise.simulation import Simulation
from parti.optimise.trials import RELAXED, LimitReached, Trials


def search(
    problem: Problem,
    simulation: Simulation,
    promise: Promise,
    *,
    seed: int,
    clock: Callable[[], float],
    limits: Limits | None = None,
) -> Found:
    """The cheapest plan that keeps the promise in the sample of this seed, and how far that is proved.

    `clock` gives seconds from any start. The same arguments give the same plan, unless the time runs out first.
    Raises P811 (a `NoPlan`) when no plan keeps the promise, or none was found in time.
    """
    refuse_quality(problem, promise)
    trials = Trials(problem, simulation, promise, seed=seed, limits=limits or Limits(), clock=clock)
    hunt = Hunt(trials, menus(problem, lambda part, option: simulation.possible(seed, part.name, option, promise)))
    hunt.run()
    if math.isinf(hunt.best.cost):
        refuse_seconds(trials, hunt.menus, hunt.look_again(), proved=hunt.proof.optimal)
    plan = Plan(tuple(choice for choice in hunt.best.prefix if choice is not None))
    points = tuple(sorted(trials.points.values(), key=lambda point: (point.cost, point.seconds)))
    best = trials.points[plan]
    if not best.keeps(promise):
        refuse_budget(problem, promise, best, hunt.proof)
    return Found(promise, seed, best, hunt.proof, hunt.relaxed, points, trials.extensions, trials.elapsed)


class Hunt:
    """One search in its phases, each of which leaves a plan and a proof to the next."""

    def __init__(self, trials: Trials, found: tuple[Menu, ...]) -> None:
        self.trials, self.menus = trials, found
        self.best = Incumbent()
        self.delays: Delays | None = None
        self.lower = self.lower_relaxed = 0.0

    @property
    def proof(self) -> Proof:
        """What holds whatever the network does."""
        return Proof(min(self.lower, self.best.cost), self.best.cost)

    @property
    def relaxed(self) -> Proof:
        """What holds if waiting in one stage never helps in another."""
        return Proof(min(max(self.lower, self.lower_relaxed), self.best.cost), self.best.cost)

    def run(self) -> None:
        """All phases, until nothing is left or a limit is reached."""
        strict = Bounds(self.trials, self.menus, fitting=False)
        self.lower = strict.rest[0]
        if math.isinf(self.lower):
            return
        try:
            with self.trials.part_of_the_time(0.5):
                self._climb()
            with self.trials.part_of_the_time(0.7 if self.trials.limits.strict else 1.0):
                self._relaxed()
        except LimitReached:
            pass
        if self.trials.simulation.monotone:
            self.lower = max(self.lower, self.lower_relaxed)
        if self.trials.limits.strict or math.isinf(self.best.cost):
            self._strict(strict)

    def look_again(self) -> Delays:
        """The delays of all stages, also when the time ran out before they were known."""
        if self.delays is None:
            self.trials.allow_more()
            self.delays = Delays(self.trials, self.menus)
        return self.delays

    def _climb(self) -> None:
        self.delays = Delays(self.trials, self.menus)
        climbing = Climbing(self.trials, self.delays)
        climbing.run()
        if climbing.best is not None:
            plan = tuple(candidate.choice for candidate in climbing.best)
            self.best = Incumbent(sum(candidate.cost for candidate in climbing.best), plan)

    def _relaxed(self) -> None:
        """The suffixes of the plan from the last stage on, each with what was proved of the shorter ones (Russian dolls)."""
        bounds = Bounds(self.trials, self.menus, fitting=True)
        self.lower_relaxed = bounds.rest[0]
        for first in reversed(range(1, len(self.menus))):
            with self.trials.part_of_the_time(0.5 / first):
                suffix = Branching(self.trials, self.menus, bounds, first=first, known=self._suffix(first))
                suffix.run()
            bounds.raise_to(first, suffix.lower)
        bounds.raise_to(0, bounds.rest[1])
        self._branch(bounds)

    def _suffix(self, first: int) -> Incumbent:
        """The later stages of the best plan, if they keep the promise with the earlier ones relaxed."""
        if math.isinf(self.best.cost):
            return Incumbent()
        prefix = (*[RELAXED] * first, *self.best.prefix[first:])
        if not self.trials.fits(prefix):
            return Incumbent()
        cost = sum(option.cost for choice in prefix if choice is not None for option in choice)
        return Incumbent(cost, prefix)

    def _branch(self, bounds: Bounds) -> None:
        whole = Branching(self.trials, self.menus, bounds, first=0, known=self.best)
        whole.run()
        self.best, self.lower_relaxed = whole.best, max(self.lower_relaxed, whole.lower)

    def _strict(self, bounds: Bounds) -> None:
        bounds.raise_to(0, self.lower)
        whole = Branching(self.trials, self.menus, bounds, first=0, known=self.best)
        whole.run()
        self.best, self.lower = whole.best, max(self.lower, whole.lower)
