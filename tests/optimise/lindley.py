"""A staged simulation small enough to try every plan: stations in tandem, by Lindley's recursion in numpy."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from parti.optimise.problem import Option, Part, Problem, Promise, Stage
from parti.optimise.quality import Quality


@dataclass(frozen=True)
class Ways:
    """How a part is deployed: so many replicas, each so fast. The label of an option."""

    replicas: int
    speed: float = 1.0
    loses: float = 0.0


@dataclass(frozen=True)
class State:
    """The time at which each request left the last stage; infinite once lost."""

    seed: int
    done: int
    left: np.ndarray


@dataclass
class Tandem:
    """Stations one after the other, `work` seconds of mean exponential work each; replicas take turns, or pool their speed.

    Pooled, nobody overtakes and the simulation is monotone. Several parts in a stage follow each other, too.
    """

    problem: Problem
    work: dict[str, float]
    requests: int = 400
    rate: float = 1.0
    pooled: bool = True
    counts: Counter = field(default_factory=Counter)

    @property
    def monotone(self) -> bool:
        return self.pooled

    def begin(self, seed: int) -> State:
        return State(seed, 0, self.arrived(seed))

    def arrived(self, seed: int) -> np.ndarray:
        return np.cumsum(np.random.default_rng([seed, 0]).exponential(1 / self.rate, self.requests))

    def drawn(self, seed: int, part: str) -> np.ndarray:
        names = [each.name for each in self.problem.parts()]
        return np.random.default_rng([seed, 1 + names.index(part)]).exponential(self.work[part], self.requests)

    def extend(self, state: State, choice: tuple[Option, ...]) -> State:
        left = state.left
        for part, option in zip(self.problem.stages[state.done].parts, choice, strict=True):
            self.counts[part.name] += 1
            left = self._through(left, self.drawn(state.seed, part.name), option.label)
        return State(state.seed, state.done + 1, left)

    def _through(self, came: np.ndarray, work: np.ndarray, ways: Ways) -> np.ndarray:
        order = np.argsort(came, kind="stable")
        order = order[np.isfinite(came[order])]
        gone = np.full_like(came, np.inf)
        servers, factor = (1, ways.replicas) if self.pooled else (ways.replicas, 1)
        for turn in range(servers):
            mine = order[turn::servers]
            service = work[mine] / (ways.speed * factor)
            total = np.cumsum(service)
            gone[mine] = total + np.maximum.accumulate(came[mine] - (total - service))
        lost = int(ways.loses * self.requests)
        gone[:lost] = np.inf
        return gone

    def fastest(self, seed: int, stage: int) -> np.ndarray:
        least = np.zeros(self.requests)
        for part in self.problem.stages[stage].parts:
            best = max(o.label.speed * (o.label.replicas if self.pooled else 1) for o in part.options)
            least += self.drawn(seed, part.name) / best
        return least

    def relax(self, state: State) -> State:
        left = state.left + self.fastest(state.seed, state.done)
        if self.pooled:  # nobody overtakes
            left = np.maximum.accumulate(np.where(np.isfinite(left), left, 0.0))
            left = np.where(np.isfinite(state.left), left, np.inf)
        return State(state.seed, state.done + 1, left)

    def reached(self, state: State) -> np.ndarray:
        rest = sum(
            (self.fastest(state.seed, stage) for stage in range(state.done, len(self.problem.stages))),
            np.zeros(self.requests),
        )
        return state.left + rest - self.arrived(state.seed)

    def taken(self, state: State) -> np.ndarray:
        return state.left - self.arrived(state.seed)

    def finish(self, state: State) -> np.ndarray:
        return state.left - self.arrived(state.seed)

    def size(self, state: State) -> int:
        return state.left.nbytes

    def possible(self, seed: int, part: str, option: Option, promise: Promise) -> bool:
        return True


def tandem(shape: dict[str, list[Option]], *, quality: Quality | None = None, **settings) -> Tandem:
    """A tandem with one part a stage, each with mean work of one second, by the names and options given."""
    stages = tuple(Stage((Part(name, tuple(options)),)) for name, options in shape.items())
    return Tandem(Problem(stages, quality or Quality()), dict.fromkeys(shape, 1.0), **settings)


def replicas(most: int, *, cost: float = 1.0, least: int = 1) -> list[Option]:
    """Options of one machine type."""
    return [Option(Ways(count), cost * count) for count in range(least, most + 1)]


def cheapest(simulation: Tandem, promise: Promise, seed: int) -> float:
    """The least cost of a plan that keeps the promise, by trying all; infinite where none does."""
    best = math.inf

    def down(state: State, cost: float, terms: list[float]) -> None:
        nonlocal best
        if state.done == len(simulation.problem.stages):
            late = int((simulation.finish(state) > promise.seconds).sum())
            kept = late <= promise.late_allowed(simulation.requests) and cost <= promise.cost_most
            if kept and simulation.problem.quality.of(terms) >= promise.quality_least - 1e-9:
                best = min(best, cost)
            return
        for choice in choices(simulation.problem.stages[state.done]):
            term = simulation.problem.term(state.done, choice)
            down(simulation.extend(state, choice), cost + sum(o.cost for o in choice), [*terms, term])

    down(simulation.begin(seed), 0.0, [])
    return best


def choices(stage: Stage) -> list[tuple[Option, ...]]:
    """All choices of a stage."""
    found: list[tuple[Option, ...]] = [()]
    for part in stage.parts:
        found = [(*choice, option) for choice in found for option in part.options]
    return found
