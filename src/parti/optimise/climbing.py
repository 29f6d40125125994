"""Climbing: a good plan soon, by raising what removes most lateness per dollar, then lowering one stage and raising another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from parti.optimise.delays import Candidate, Climber, Delays
from parti.optimise.oracle import LimitReached, Oracle
from parti.optimise.problem import Plan
from parti.optimise.quality import keeps

CONFIRMED_MAX: Final = 16
"""So many promising changes are simulated before a climber is taken to be at the top."""

RAISED_MAX: Final = 3
"""So many raises are chosen by the estimate before the plan is simulated again."""


@dataclass(frozen=True, slots=True)
class Move:
    """Some stages (by number) get other candidates, which saves so much (USD per hour, negative: costs)."""

    changes: tuple[tuple[int, Candidate], ...]
    saved: float


class View:
    """A plan on its way, as simulated, and what is expected of moves from there."""

    def __init__(self, oracle: Oracle, delays: Delays, at: Climber) -> None:
        self.at = at
        self.latencies: Any = oracle.latencies(plan_of(at).choices)
        self.late = delays.lateness(self.latencies)
        self._delays = delays
        self._shifts: dict[tuple[int, int], Any] = {}

    def shift(self, stage: int, candidate: Candidate) -> Any:
        """See `Delays.shift`; remembered."""
        key = stage, id(candidate)
        if key not in self._shifts:
            self._shifts[key] = self._delays.shift(self.at, stage, candidate)
        return self._shifts[key]

    def expected(self, move: Move) -> float:
        """The lateness expected after a move."""
        latencies = self.latencies
        for stage, candidate in move.changes:
            latencies = latencies + self.shift(stage, candidate)
        return self._delays.lateness(latencies)


class Climbing:
    """Greedy and pair exchange over candidates; every plan that counts is simulated. `best` is the cheapest that keeps the promise."""

    def __init__(self, oracle: Oracle, delays: Delays) -> None:
        self._oracle, self._delays = oracle, delays
        self.best: Climber | None = None
        self._tried: set[Plan] = set()

    def run(self) -> None:
        """Climb from the cheapest candidates that fit alone. Ends early, with what it has, at the limit."""
        start = tuple(next((one for one in stage if one.fits), stage[-1]) for stage in self._delays.stages)
        try:
            at = self._good_enough(start)
            if at is not None:
                self._lower(self._raise(at))
        except LimitReached:
            return

    def wander(self, chance: Any, kicks: int) -> None:
        """Change some stages of the best plan at random and climb again, so many times (iterated local search).

        `chance` is a numpy generator. Ends early at the limit.
        """
        try:
            for _ in range(kicks):
                if self.best is None:
                    return
                self._lower(self._raise(self._kicked(self.best, chance)))
        except LimitReached:
            return

    def _kicked(self, at: Climber, chance: Any) -> Climber:
        """Two or three stages get other candidates, mostly near ones."""
        changed = dict(enumerate(at))
        for stage in chance.permutation(len(at))[: int(chance.integers(2, 4))]:
            candidates = self._delays.stages[stage]
            near = candidates.index(at[stage]) if at[stage] in candidates else 0
            changed[int(stage)] = candidates[int(chance.integers(max(0, near - 3), min(len(candidates), near + 4)))]
        after = tuple(changed[stage] for stage in range(len(at)))
        return after if self._enough(after) else at

    def _enough(self, at: Climber) -> bool:
        return keeps(self._term(at), self._oracle.promise.quality_least)

    def _term(self, at: Climber) -> float:
        return self._oracle.problem.quality.of(candidate.term for candidate in at)

    def _good_enough(self, at: Climber) -> Climber | None:
        """Raise the quality by what adds most per dollar until it is enough; None where no single step adds to it."""
        while not self._enough(at):
            now = self._term(at)
            moves = [move for move in self._singles(at) if self._term(moved(at, move)) > now]
            if not moves:
                return self._best_quality()
            at = moved(at, max(moves, key=lambda move: _per_dollar(self._term(moved(at, move)) - now, move)))
        return at

    def _best_quality(self) -> Climber | None:
        at = tuple(max(stage, key=lambda each: each.term) for stage in self._delays.stages)
        return at if self._enough(at) else None

    def _view(self, at: Climber) -> View:
        self._tried.add(plan_of(at))
        view = View(self._oracle, self._delays, at)
        if view.late == 0 and self._enough(at) and (self.best is None or cost_of(at) < cost_of(self.best)):
            self.best = at
        return view

    def _raise(self, at: Climber) -> View | None:
        """Raise until the promise is kept; None where nothing is left to raise."""
        view = self._view(at)
        while view.late > 0:
            raised = self._raised(view) or self._next(view.at)
            if raised is None:
                return None
            view = self._view(raised)
        return view

    def _raised(self, view: View) -> Climber | None:
        """Some raises that are expected to remove most lateness per dollar, together; None where none is expected to."""
        rated = []
        for move in self._singles(view.at):
            self._oracle.check()
            if move.saved <= 0 and self._enough(moved(view.at, move)):
                rated.append((_per_dollar(view.late - view.expected(move), move), move))
        rated = sorted((pair for pair in rated if pair[0] > 0), key=lambda pair: -pair[0])
        changes: dict[int, Candidate] = {}
        late = view.late
        for _, move in rated:
            stage, candidate = move.changes[0]
            if stage in changes:
                continue
            changes[stage] = candidate
            late = view.expected(Move(tuple(changes.items()), 0.0))
            if late == 0 or len(changes) == RAISED_MAX:
                break
        after = moved(view.at, Move(tuple(changes.items()), 0.0))
        if not changes or plan_of(after) in self._tried or not self._enough(after):
            return None
        return after

    def _next(self, at: Climber) -> Climber | None:
        """Where the estimate sees no help: the cheapest raise that was not tried yet."""
        moves = [move for move in self._singles(at) if move.saved < 0 and self._enough(moved(at, move))]
        moves = [move for move in moves if plan_of(moved(at, move)) not in self._tried]
        return moved(at, max(moves, key=lambda move: move.saved)) if moves else None

    def _lower(self, view: View | None) -> None:
        """Take the change that saves most among those that are expected to keep the promise, while one is confirmed."""
        while view is not None:
            view = self._confirmed(view)

    def _confirmed(self, view: View) -> View | None:
        moves = sorted((*self._singles(view.at), *self._pairs(view.at)), key=lambda move: -move.saved)
        confirmed = 0
        for move in moves:
            after = moved(view.at, move)
            if move.saved <= 1e-12 or confirmed >= CONFIRMED_MAX:
                return None
            self._oracle.check()
            if not self._enough(after) or plan_of(after) in self._tried or view.expected(move) > 0:
                continue
            confirmed += 1
            seen = self._view(after)
            if seen.late == 0:
                return seen
        return None

    def _singles(self, at: Climber) -> Iterator[Move]:
        for stage, candidates in enumerate(self._delays.stages):
            for candidate in candidates:
                if candidate is not at[stage]:
                    yield Move(((stage, candidate),), at[stage].cost - candidate.cost)

    def _pairs(self, at: Climber) -> Iterator[Move]:
        """One stage is lowered, another raised by less."""
        singles = list(self._singles(at))
        for lowered in singles:
            if lowered.saved <= 0:
                continue
            self._oracle.check()
            for raised in singles:
                saved = lowered.saved + raised.saved
                if raised.saved < 0 < saved and raised.changes[0][0] != lowered.changes[0][0]:
                    yield Move(lowered.changes + raised.changes, saved)


def cost_of(at: Climber) -> float:
    """USD per hour."""
    return math.fsum(candidate.cost for candidate in at)


def plan_of(at: Climber) -> Plan:
    """The plan."""
    return Plan(tuple(candidate.choice for candidate in at))


def moved(at: Climber, move: Move) -> Climber:
    """After the move."""
    changed = dict(move.changes)
    return tuple(changed.get(stage, candidate) for stage, candidate in enumerate(at))


def _per_dollar(gain: float, move: Move) -> float:
    if gain <= 0:
        return 0.0
    return gain / -move.saved if move.saved < 0 else math.inf
