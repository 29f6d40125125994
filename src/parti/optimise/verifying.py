"""Verifying: a plan tuned on one sample is tried on fresh ones, and planned again more strictly until it keeps its promise there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Final, NoReturn

from parti.errors import PlanError
from parti.optimise.checking import RUNS_MIN, Check, check
from parti.optimise.found import Found, Limits, Point
from parti.optimise.problem import Plan, Problem, Promise
from parti.optimise.refusing import NoPlan
from parti.optimise.searching import search
from parti.optimise.simulation import Simulation
from parti.units import duration_text

TIGHTENED: Final = (0.6, 0.98)
"""A round plans for no less than the first share of the seconds of the round before; nearer than the second is not worth a round."""

SPARED_MAX: Final = 12
"""So many cheaper plans that were simulated on the way are tried, too."""


@dataclass(frozen=True, slots=True)
class Care:
    """How sure a plan must be: at most the share `broken_most` of fresh runs may break the promise.

    A plan is tried on up to `runs` fresh seeds (at least 5; few that fail end a trial soon), in at most `rounds` rounds. Searches
    after the first take the share `again` of its limits. Raises P812 for what cannot be.
    """

    runs: int = 100
    broken_most: float = 0.01
    rounds: int = 6
    again: float = 0.25

    def __post_init__(self) -> None:
        """Refuse figures out of range."""
        if not (self.runs >= RUNS_MIN and self.rounds >= 1 and 0 < self.broken_most < 0.5 and 0 < self.again <= 1):
            raise PlanError(
                "P812",
                f"no plan can be verified by {self}",
                fix="take at least 5 runs and 1 round, and shares between 0 and 0.5 (broken_most) and 1 (again)",
            )


@dataclass(frozen=True, slots=True)
class Round:
    """One round: planned for so many `seconds` at this cost in USD per hour, and checked."""

    seconds: float
    cost: float
    check: Check


@dataclass(frozen=True, slots=True)
class Verified:
    """A plan that keeps its promise in fresh runs, too. `found` is the search for the promise itself, with its proof."""

    found: Found
    check: Check
    rounds: tuple[Round, ...]

    @property
    def plan(self) -> Plan:
        """The verified plan."""
        return self.check.plan

    @property
    def safety(self) -> float:
        """What the plan costs more than the cheapest on one sample, USD per hour."""
        return self.plan.cost - self.found.best.cost


def verify(
    problem: Problem,
    simulation: Simulation,
    promise: Promise,
    *,
    seed: int,
    clock: Callable[[], float],
    limits: Limits | None = None,
    care: Care | None = None,
) -> Verified:
    """Search, and verify what was found; while it breaks the promise in fresh runs, search for one with fewer seconds.

    Seeds from `seed` + 1 on are fresh, new ones are taken for each check, and no plan is checked twice: whoever repeats a test
    until it passes has tested nothing. All rounds after the search may take as long again as the search, and then end: what is
    being tried by then has at least five runs. Raises P811 (a `NoPlan`) where no plan is found, or none is verified by then.
    """
    limits, care = limits or Limits(), care or Care()
    found = search(problem, simulation, promise, seed=seed, clock=clock, limits=limits)
    until = clock() + limits.seconds
    verifier = Verifier(problem, simulation, promise, care, found, lambda: clock() < until)

    def again(seconds: float) -> Found:
        time = max(0.0, min(limits.seconds * care.again, until - clock()))
        fewer = Limits(time, int(limits.extensions * care.again), limits.memory)
        return search(problem, simulation, replace(promise, seconds=seconds), seed=seed, clock=clock, limits=fewer)

    best = verifier.run(again)
    return Verified(found, best, tuple(verifier.rounds))


class Verifier:
    """The rounds of verifying one plan after the other, and the cheapest that was kept."""

    def __init__(
        self,
        problem: Problem,
        simulation: Simulation,
        promise: Promise,
        care: Care,
        found: Found,
        in_time: Callable[[], bool] = lambda: True,
    ) -> None:
        self._in_time = in_time
        self.rounds: list[Round] = []
        self._problem, self._simulation, self._promise, self._care = problem, simulation, promise, care
        self._found = found
        self._seeds: Iterator[int] = count(found.seed + 1)
        self._points: dict[Plan, Point] = {point.plan: point for point in found.points}
        self._checked: dict[Plan, Check] = {}
        self._best: Check | None = None
        self._nothing = 0.0
        """The most seconds for which no plan was found."""

    def run(self, again: Callable[[float], Found]) -> Check:
        """The check of the cheapest plan that was verified. Raises P811 where none was."""
        if self._round(self._promise.seconds, self._found).kept:
            return self.rounds[0].check
        broke, kept = self._promise.seconds, 0.0
        for _ in range(1, self._care.rounds):
            if kept >= TIGHTENED[1] * broke or not self._in_time():
                break
            seconds = 0.5 * (broke + kept) if kept else self._tighter(broke)
            outcome = self._verified(seconds, again)
            if outcome is None:
                self._nothing = seconds
            elif outcome:
                kept = seconds
            else:
                broke = seconds
        if self._best is None:
            self._refuse()
        self._spare(self._best, broke)
        return self._best

    def _verified(self, seconds: float, again: Callable[[float], Found]) -> bool | None:
        """Search for a plan with so many seconds and check it; None where there is no such plan."""
        try:
            found = again(seconds)
        except NoPlan:
            return None
        self._points.update({point.plan: point for point in found.points})
        return self._round(seconds, found).kept

    def _round(self, seconds: float, found: Found) -> Check:
        made = self._check(found.plan)
        self.rounds.append(Round(seconds, found.best.cost, made))
        return made

    def _check(self, plan: Plan) -> Check:
        if plan in self._checked:
            return self._checked[plan]
        seeds = tuple(islice(self._seeds, self._care.runs))
        made = check(
            self._problem, self._simulation, plan, self._promise,
            seeds=seeds, broken_most=self._care.broken_most, in_time=self._in_time,
        )  # fmt: skip
        self._checked[plan] = made
        if made.kept and (self._best is None or plan.cost < self._best.plan.cost):
            self._best = made
        return made

    def _tighter(self, broke: float) -> float:
        """The seconds to plan for, so that what the last plan needed in fresh runs would have been kept.

        Not so few that no plan was found for them: then halfway between those and the last that broke.
        """
        last = self.rounds[-1]
        most = max(TIGHTENED[0], 1.0 - 0.03 * 2.0 ** (len(self.rounds) - 1))
        factor = self._promise.seconds / last.check.seconds_high
        seconds = last.seconds * min(most, max(TIGHTENED[0], factor))
        return seconds if seconds > self._nothing else 0.5 * (broke + self._nothing)

    def _spare(self, best: Check, broke: float) -> None:
        """Check cheaper plans that were simulated on the way, and are quicker than one that broke the promise."""
        wanted = [
            point
            for point in self._points.values()
            if point.seconds < broke and point.plan not in self._checked and point.keeps(self._promise)
        ]
        for point in sorted(wanted, key=lambda each: (each.cost, each.seconds))[:SPARED_MAX]:
            if point.cost >= best.plan.cost or not self._in_time() or self._check(point.plan).kept:
                return

    def _refuse(self) -> NoReturn:
        last = self.rounds[-1]
        runs = len(last.check.seeds)
        further = f", and for {duration_text(self._nothing)} there is none" if self._nothing else ""
        further += "" if self._in_time() else "; there was no time for more"
        error = NoPlan(
            "P811",
            f"no plan was verified in {len(self.rounds)} rounds: the last, planned for {duration_text(last.seconds)} instead of "
            f"{duration_text(self._promise.seconds)}, broke the promise in {last.check.broken} of {runs} fresh runs{further}",
            fix="simulate longer runs, promise more time, or search for longer",
        )
        error.proved = False
        raise error
