"""Searching: a good plan by climbing, then the cheapest and its proof by branch and bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from parti.extras import need
from parti.optimise.bounds import Bounds
from parti.optimise.branching import Branching, Incumbent
from parti.optimise.climbing import Climbing, cost_of, plan_of
from parti.optimise.delays import Delays
from parti.optimise.found import Found, Limits, Proof
from parti.optimise.menus import Menu, menus
from parti.optimise.oracle import RELAXED, LimitReached, Oracle
from parti.optimise.problem import Option, Part, Plan, Problem, Promise
from parti.optimise.refining import finer, rounding
from parti.optimise.refusing import last_resort, refuse_budget, refuse_quality
from parti.optimise.simulation import Simulation

ROUNDS: Final = ((0.25, 0.5), (1.0, 1.0))
"""Rounds of proving and wandering, as shares of the time that is left: small problems are proved in the first, and in large ones
a better plan makes the second go further."""

COARSE: Final = 0.7
"""Where options were left out, the first search takes this share of the time, and those around its plan the rest."""

KICKS: Final = 30
"""So many kicks for each stage, at most."""


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
    oracle = Oracle(problem, simulation, promise, seed=seed, limits=limits or Limits(), clock=clock)

    def possible(part: Part, option: Option) -> bool:
        return simulation.possible(seed, part.name, option, promise)

    hunt = Hunt(oracle, menus(problem, possible))
    thinned = any(part.between is not None for part in problem.parts())
    with oracle.part_of_the_time(COARSE if thinned else 1.0):
        hunt.run()
    if math.isinf(hunt.best.cost):
        plan = last_resort(oracle, hunt.menus, hunt.look_again, proved=hunt.proof.optimal)
        hunt.best = Incumbent(plan.cost, plan.choices)
    coarse = hunt.best
    plan = _refined(oracle, problem, _plan_of(coarse), possible) if thinned else _plan_of(coarse)
    best = oracle.points[plan]
    proof, relaxed = _proofs(problem, hunt, best.cost) if thinned else (hunt.proof, hunt.relaxed)
    points = tuple(sorted(oracle.points.values(), key=lambda point: (point.cost, point.seconds)))
    if not best.keeps(promise):
        refuse_budget(problem, promise, best, proof)
    return Found(promise, seed, best, proof, relaxed, points, oracle.extensions, oracle.elapsed)


def _plan_of(found: Incumbent) -> Plan:
    return Plan(tuple(choice for choice in found.prefix if choice is not None))


def _refined(oracle: Oracle, problem: Problem, plan: Plan, possible: Callable[[Part, Option], bool]) -> Plan:
    """The cheapest plan among those that differ by options that were left out near its own, as far as time allows."""
    while (closer := finer(problem, plan)) is not None:
        hunt = Hunt(oracle, menus(closer, possible))
        hunt.best = Incumbent(plan.cost, plan.choices)
        hunt.run()
        problem, plan = closer, _plan_of(hunt.best)
    return plan


def _proofs(problem: Problem, hunt: Hunt, cost: float) -> tuple[Proof, Proof]:
    """What is proved of all options, from what is proved of those that were looked at first; see `rounding`."""
    rounded = rounding(problem, cost)
    always = min(hunt.lower if rounded == 1.0 else hunt.cheapest, cost)
    return Proof(always, cost), Proof(max(always, min(hunt.relaxed.lower / rounded, cost)), cost)


class Hunt:
    """One search in its phases, each of which leaves a plan and a proof to the next."""

    def __init__(self, oracle: Oracle, found: tuple[Menu, ...]) -> None:
        self.oracle, self.menus = oracle, found
        self.best = Incumbent()
        self.delays: Delays | None = None
        self._climbing: Climbing | None = None
        self.lower = self.lower_relaxed = self.cheapest = 0.0

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
        strict = Bounds(self.oracle, self.menus, fitting=False)
        self.lower = self.cheapest = strict.rest[0]
        if math.isinf(self.lower):
            return
        with suppress(LimitReached), self.oracle.part_of_the_time(0.7 if self.oracle.limits.strict else 1.0):
            self._climb()
            bounds = Bounds(self.oracle, self.menus, fitting=True)
            self.lower_relaxed = bounds.rest[0]
            for search_share, wander_share in ROUNDS:
                with self.oracle.part_of_the_time(search_share):
                    self._relaxed(bounds)
                if self.relaxed.optimal:
                    break
                with self.oracle.part_of_the_time(wander_share):
                    self._wander()
        if self.oracle.simulation.monotone:
            self.lower = max(self.lower, self.lower_relaxed)
        if self.oracle.limits.strict or math.isinf(self.best.cost):
            self._strict(strict)

    def look_again(self) -> Delays:
        """The delays of all stages, also when the time ran out before they were known. Raises LimitReached."""
        if self.delays is None:
            self.delays = Delays(self.oracle, self.menus)
        return self.delays

    def _climb(self) -> None:
        self.delays = Delays(self.oracle, self.menus)
        self._climbing = Climbing(self.oracle, self.delays)
        self._climbing.run()
        self._take()

    def _wander(self) -> None:
        assert self._climbing is not None
        np = need("numpy", extra="plan", purpose="planning")
        self._climbing.wander(np.random.default_rng(self.oracle.seed), KICKS * len(self.menus))
        self._take()

    def _take(self) -> None:
        """What climbing found becomes the incumbent if it is cheaper."""
        best = self._climbing.best if self._climbing else None
        if best is not None and cost_of(best) < self.best.cost:
            self.best = Incumbent(cost_of(best), plan_of(best).choices)

    def _relaxed(self, bounds: Bounds) -> None:
        """The suffixes of the plan from the last stage on, each with what was proved of the shorter ones (Russian dolls)."""
        for first in reversed(range(1, len(self.menus))):
            with self.oracle.part_of_the_time(0.5 / first):
                suffix = Branching(self.oracle, self.menus, bounds, first=first, known=self._suffix(first))
                suffix.run()
            bounds.raise_to(first, suffix.lower)
        bounds.raise_to(0, max(self.lower_relaxed, bounds.rest[1]))
        whole = Branching(self.oracle, self.menus, bounds, first=0, known=self.best)
        whole.run()
        self.best, self.lower_relaxed = whole.best, max(self.lower_relaxed, whole.lower)

    def _suffix(self, first: int) -> Incumbent:
        """The later stages of the best plan, if they keep the promise with the earlier ones relaxed."""
        if math.isinf(self.best.cost):
            return Incumbent()
        prefix = (*[RELAXED] * first, *self.best.prefix[first:])
        if not self.oracle.fits(prefix):
            return Incumbent()
        cost = sum(option.cost for choice in prefix if choice is not None for option in choice)
        return Incumbent(cost, prefix)

    def _strict(self, bounds: Bounds) -> None:
        bounds.raise_to(0, self.lower)
        whole = Branching(self.oracle, self.menus, bounds, first=0, known=self.best)
        whole.run()
        self.best, self.lower = whole.best, max(self.lower, whole.lower)
