"""Problems to plan, from a seed: pipelines of parts with replicas, batches and machine types, over Parti's simulator."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parti.optimise.capacity import late_least
from parti.optimise.problem import Choice, Option, Part, Problem, Promise, Stage
from parti.sim.arrivals import load_of
from parti.sim.distributions import Lognormal
from parti.sim.load import GammaArrivals
from parti.sim.network import EVERYONE, Batch, Network, Station, tandem
from parti.sim.simulating import begin, extend, finish

MACHINES = {"small": (1.0, 0.10), "medium": (1.8, 0.20), "large": (3.0, 0.42)}
"""Speed against the smallest, and USD per hour before the price of the part."""


@dataclass(frozen=True)
class Ways:
    """How a part is deployed: the label of an option."""

    replicas: int
    batch: int
    machine: str


@dataclass(frozen=True)
class Profile:
    """A part as measured: seconds of one request on the smallest machine, their cv, and what each further one adds to a batch."""

    seconds: float
    cv: float
    growth: float

    def station(self, name: str, ways: Ways) -> Station:
        """The part deployed in one way."""
        speed = MACHINES[ways.machine][0]
        service = Lognormal(self.seconds / speed, self.cv)
        grown = tuple(1 + self.growth * more for more in range(ways.batch))
        batch = Batch(ways.batch, 0.0, grown) if ways.batch > 1 else None
        return Station(name, service, replicas=ways.replicas, batch=batch)

    def at_best(self, name: str, options: tuple[Option, ...]) -> Station:
        """The part where nobody waits, on its fastest machine."""
        fastest = max(MACHINES[option.label.machine][0] for option in options)  # type: ignore[attr-defined]
        return Station(name, Lognormal(self.seconds / fastest, self.cv), replicas=EVERYONE)


@dataclass(frozen=True)
class State:
    """A prefix of Parti's simulator, and how many stages are done."""

    prefix: Any
    seed: int
    done: int


@dataclass(frozen=True)
class Facts:
    """What is known of a seed: its load, which requests count, and of each part and such request the least seconds and the work.

    A request in a batch takes as long as the first of its batch: where a part may have batches, the least is that of all requests.
    """

    load: Any
    counted: Any
    least: list[Any]
    work: list[Any]


@dataclass
class Pipeline:
    """A `Simulation` of the optimiser over Parti's simulator: parts one after the other."""

    problem: Problem
    profiles: dict[str, Profile]
    arrivals: GammaArrivals
    seconds: float
    monotone: bool = False
    extensions: int = 0
    _known: dict[int, Facts] = field(default_factory=dict)

    @property
    def warmup(self) -> float:
        """So many seconds at the start are not counted."""
        return 0.1 * self.seconds

    def network(self) -> Network:
        """The pipeline with the first option of each part."""
        parts = self.problem.parts()
        return tandem(*(self.profiles[p.name].station(p.name, p.options[0].label) for p in parts))  # type: ignore[arg-type]

    def begin(self, seed: int) -> State:
        return State(begin(self.network(), self._load(seed), seed=seed, warmup=self.warmup), seed, 0)

    def extend(self, state: State, choice: Choice) -> State:
        part, (option,) = self.problem.stages[state.done].parts[0], choice
        self.extensions += 1
        return self._extended(state, self.profiles[part.name].station(part.name, option.label))  # type: ignore[arg-type]

    def relax(self, state: State) -> State:
        part = self.problem.stages[state.done].parts[0]
        return self._extended(state, self.profiles[part.name].at_best(part.name, part.options))

    @staticmethod
    def _extended(state: State, station: Station) -> State:
        return State(extend(state.prefix, {station.name: station}), state.seed, state.done + 1)

    def reached(self, state: State) -> Any:
        facts = self._facts(state.seed)
        return self.taken(state) + sum(facts.least[state.done :], np.zeros(1))

    def taken(self, state: State) -> Any:
        return (state.prefix.reached - state.prefix.load.arrived)[self._facts(state.seed).counted]

    def finish(self, state: State) -> Any:
        simulated = finish(state.prefix)
        return np.where(simulated.outcome == 0, simulated.left - simulated.arrived, np.inf)[simulated.counted]

    def size(self, state: State) -> int:
        return 6 * state.prefix.reached.nbytes

    def possible(self, seed: int, part: str, option: Option, promise: Promise) -> bool:
        facts = self._facts(seed)
        least, arrived = facts.least, facts.load.arrived[facts.counted]
        stage = [each.name for each in self.problem.parts()].index(part)
        ways: Ways = option.label  # type: ignore[assignment]
        profile, speed = self.profiles[part], MACHINES[ways.machine][0]
        work = facts.work[stage] / speed
        if ways.batch > 1:
            work = np.full_like(work, work.min() * (1 + profile.growth * (ways.batch - 1)) / ways.batch)
        before = sum(least[:stage], np.zeros(1))
        after = sum(least[stage + 1 :], np.zeros(1))
        late = late_least(arrived + before, arrived + promise.seconds - after, work, ways.replicas)
        return late <= promise.late_allowed(len(arrived))

    def _load(self, seed: int) -> Any:
        return self._facts(seed).load

    def _facts(self, seed: int) -> Facts:
        if seed not in self._known:
            self._known.clear()
            self._known[seed] = self._learnt(seed)
        return self._known[seed]

    def _learnt(self, seed: int) -> Facts:
        """Draws are of a request and a part, whatever else is chosen: so one run in which nobody waits shows them all."""
        load = load_of(self.arrivals, seconds=self.seconds, seed=seed)
        state = State(begin(self.network(), load, seed=seed, warmup=self.warmup), seed, 0)
        counted = load.arrived >= self.warmup
        least, work = [], []
        for part in self.problem.parts():
            before = state.prefix.reached
            state = self.relax(state)
            own = (state.prefix.reached - before)[counted]
            fastest = max(MACHINES[option.label.machine][0] for option in part.options)  # type: ignore[attr-defined]
            batched = any(option.label.batch > 1 for option in part.options)  # type: ignore[attr-defined]
            least.append(np.full_like(own, own.min()) if batched else own)
            work.append(own * fastest)
        return Facts(load, counted, least, work)


def made(
    seed: int, *, parts: int, replicas: int = 10, requests: int = 10_000, cv: float = 1.0
) -> tuple[Pipeline, Promise]:
    """A pipeline of so many parts, each with ``replicas · 2 · 2`` options: two batch sizes and two machine types.

    Half of the parts batch well and take much the same time for each request, as networks on accelerators do; the others batch badly
    and vary. Rates, times, prices and the promised seconds (1.5 to 4 times the sum of all services) are drawn from the seed.
    `cv` is that of the gaps between arrivals.
    """
    draw = np.random.default_rng(seed)
    rate = float(draw.uniform(20, 60))
    profiles, stages = {}, []
    for number in range(parts):
        name, neural = f"part{number}", bool(draw.random() < 0.5)
        seconds = float(draw.lognormal(math.log(0.08), 0.6))
        seconds = min(seconds, 0.75 * replicas * MACHINES["medium"][0] / rate)
        profiles[name] = Profile(seconds, 0.15 if neural else float(draw.uniform(0.4, 1.2)), 0.25 if neural else 0.8)
        price = float(draw.uniform(0.6, 1.8))
        options = [
            Option(Ways(count, batch, machine), count * MACHINES[machine][1] * price)
            for count in range(1, replicas + 1)
            for batch in (1, 8 if neural else 4)
            for machine in ("small", "medium")
        ]
        stages.append(Stage((Part(name, tuple(options)),)))
    slo = float(draw.uniform(1.5, 4.0)) * sum(profile.seconds for profile in profiles.values())
    pipeline = Pipeline(Problem(tuple(stages)), profiles, GammaArrivals(rate, cv), requests / rate)
    return pipeline, Promise(slo)
