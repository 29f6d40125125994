"""InferLine's claim in simulation: plans made part by part, beside the whole pipeline as one unit, provisioned by mean or by peak.

    python -m bench.coarse

After Crankshaw et al., "InferLine", SoCC 2020 (arXiv 1812.01776): the coarse-grained baselines take the pipeline for one service, with one
replica of each model and one size of batch, the largest with which a request alone is in time, and copy it for the mean
rate, or for the largest rate in any window as long as the promise. Here they also choose the cheapest GPU for all of it (a model that is
published on one GPU alone stays there). All plans meet the same simulator and the same fresh arrivals.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from bench.published import CHAINS, USD_PER_HOUR, Chain, Model
from parti.optimise.found import Limits
from parti.optimise.measuring import measured
from parti.optimise.problem import Choice, Option, Part, Plan, Problem, Promise, Stage
from parti.optimise.refusing import NoPlan
from parti.optimise.verifying import Care, verify
from parti.sim import network as sim
from parti.sim.arrivals import load_of
from parti.sim.distributions import Lognormal
from parti.sim.load import GammaArrivals
from parti.sim.network import END, EVERYONE, Batch, Network, Route, Station
from parti.sim.simulating import Prefix, begin, extend, finish

CVS: Final = (1.0, 4.0)
SLOS: Final = (2.0, 4.0)
"""Promises: so many times what a request takes alone."""

BATCHES: Final = (1, 2, 4, 8, 16)
WARMUP: Final = 0.1
FRESH: Final = 1_000_000
"""Seeds from here on are fresh: no plan was made with them."""


@dataclass(frozen=True)
class Ways:
    """How a model is deployed: the label of an option."""

    replicas: int
    batch: int
    gpu: str


def station(model: Model, ways: Ways) -> Station:
    """A model deployed in one way."""
    batch = Batch(ways.batch, 0.0, model.growth(ways.gpu, ways.batch)) if ways.batch > 1 else None
    return Station(model.name, Lognormal(model.seconds(ways.gpu, 1), model.cv), ways.replicas, batch=batch)


@dataclass(frozen=True)
class State:
    """A prefix of the simulation, and how many models are done."""

    prefix: Prefix
    seed: int
    done: int


@dataclass
class Simulated:
    """Implements optimise.Simulation over the simulator: a chain of models under a load."""

    chain: Chain
    arrivals: GammaArrivals
    requests: int
    monotone: bool = False
    _later: dict[int, list[Any]] = field(default_factory=dict)

    @cached_property
    def problem(self) -> Problem:
        """Each model's options: GPU, batch, and replicas up to three times what the mean rate needs one by one, and eight more."""
        return Problem(
            tuple(Stage((Part(one.name, self._options(one, at)),)) for at, one in enumerate(self.chain.models))
        )

    @property
    def seconds(self) -> float:
        """How long it is simulated."""
        return self.requests / self.arrivals.per_second

    def _options(self, model: Model, at: int) -> tuple[Option, ...]:
        rate = self.arrivals.per_second * self.chain.visits[at]
        found = []
        for gpu, table in model.milliseconds.items():
            for batch in (size for size in BATCHES if size <= max(table)):
                served = batch / model.seconds(gpu, batch)
                least = max(1, math.ceil(0.9 * rate / served))
                for replicas in range(least, 3 * least + 9):
                    found.append(Option(Ways(replicas, batch, gpu), replicas * USD_PER_HOUR[gpu]))
        return tuple(sorted(found, key=lambda option: (option.cost, str(option.label))))

    def network(self) -> Network:
        """The chain with the first option of each model."""
        stations = tuple(
            station(model, part.options[0].label)  # type: ignore[arg-type]
            for model, part in zip(self.chain.models, self.problem.parts(), strict=True)
        )
        routes: dict[str, Route] = {}
        for at, share in enumerate(self.chain.shares):
            onward = ((stations[at + 1].name, share), *(((END, 1 - share),) if share < 1 else ()))
            routes[stations[at].name] = sim.Choice(onward)
        return Network(stations, stations[0].name, routes)

    def begin(self, seed: int) -> State:
        """See Simulation."""
        load = load_of(self.arrivals, seconds=self.seconds, seed=seed)
        return State(begin(self.network(), load, seed=seed, warmup=WARMUP * self.seconds), seed, 0)

    def extend(self, state: State, choice: Choice) -> State:
        """See Simulation."""
        (option,) = choice
        ways = option.label
        assert isinstance(ways, Ways)
        return self._extended(state, station(self.chain.models[state.done], ways))

    def relax(self, state: State) -> State:
        """See Simulation."""
        model = self.chain.models[state.done]
        fastest = min(model.seconds(gpu, 1) for gpu in model.milliseconds)
        # A request in a batch takes as long as the batch's first one: no more is certain of it than the fastest of all.
        return self._extended(state, Station(model.name, Lognormal(fastest, model.cv), EVERYONE))

    @staticmethod
    def _extended(state: State, changed: Station) -> State:
        return State(extend(state.prefix, {changed.name: changed}), state.seed, state.done + 1)

    def reached(self, state: State) -> Any:
        """See Simulation."""
        counted = state.prefix.load.arrived >= WARMUP * self.seconds
        return (state.prefix.reached - state.prefix.load.arrived)[counted]

    def finish(self, state: State) -> Any:
        """See Simulation."""
        run = finish(state.prefix)
        return np.where(run.outcome == 0, run.left - run.arrived, np.inf)[run.counted]

    def size(self, state: State) -> int:
        """See Simulation."""
        return 6 * state.prefix.reached.nbytes

    def possible(self, seed: int, part: str, option: Option, promise: Promise) -> bool:
        """See Simulation."""
        return True

    def peak(self, window: float, seed: int) -> float:
        """The largest rate in any window of that length, in a sample of arrivals."""
        times = load_of(self.arrivals, seconds=self.seconds, seed=seed).arrived
        most = np.searchsorted(times, times + window, side="right") - np.arange(len(times))
        return float(most.max()) / window


@dataclass(frozen=True)
class Unit:
    """One replica of each model with one size of batch: what the baselines copy. `served` requests a second, for USD an hour."""

    ways: tuple[Ways, ...]
    served: float
    cost: float


def units(chain: Chain, slo: float) -> list[Unit]:
    """For each GPU the unit with the largest batch with which a request alone is in time; none where it never is."""
    found = []
    for gpu in USD_PER_HOUR:
        used = [gpu if gpu in model.milliseconds else next(iter(model.milliseconds)) for model in chain.models]
        pairs = list(zip(chain.models, used, strict=True))
        largest = min(max(model.milliseconds[on]) for model, on in pairs)
        sizes = [
            size for size in BATCHES if size <= largest and sum(model.seconds(on, size) for model, on in pairs) <= slo
        ]
        if sizes:
            batch = sizes[-1]
            rates = (
                batch / model.seconds(on, batch) / visits
                for (model, on), visits in zip(pairs, chain.visits, strict=True)
            )
            found.append(
                Unit(tuple(Ways(1, batch, on) for on in used), min(rates), sum(USD_PER_HOUR[on] for on in used))
            )
    return found


def coarse(simulated: Simulated, slo: float, rate: float) -> Plan | None:
    """The whole pipeline so many times as that rate needs, by the cheapest unit."""
    best: tuple[float, Plan] | None = None
    for unit in units(simulated.chain, slo):
        copies = max(1, math.ceil(rate / unit.served))
        options = [Option(Ways(copies, way.batch, way.gpu), copies * USD_PER_HOUR[way.gpu]) for way in unit.ways]
        plan = Plan(tuple((option,) for option in options))
        if best is None or plan.cost < best[0]:
            best = plan.cost, plan
    return None if best is None else best[1]


@dataclass(frozen=True)
class Tried:
    """A plan in fresh runs: USD per hour, the mean p99 in seconds, the share of late requests, and in how many runs it broke the promise."""

    cost: float
    p99: float
    late: float
    broken: int
    runs: int
    text: str

    @property
    def misses(self) -> bool:
        """Whether its p99 is later than promised, in the mean over the runs."""
        return self.broken > self.runs / 2


@dataclass(frozen=True)
class Case:
    """One pipeline, rate, cv and promise: the plan made part by part, and the baselines. None where there is none."""

    chain: str
    rate: float
    cv: float
    slo: float
    fine: Tried | None
    mean: Tried | None
    peak: Tried | None
    gap: float


@dataclass(frozen=True)
class Amount:
    """How much is simulated: requests of a run, CPU seconds of each search, fresh runs of each plan, chains and promises."""

    requests: int = 6_000
    seconds: float = 2.0
    runs: int = 20
    chains: tuple[Chain, ...] = CHAINS
    slos: tuple[float, ...] = SLOS


QUICK: Final = Amount(requests=500, seconds=0.5, runs=5, chains=CHAINS[1:2], slos=SLOS[1:])


def cases(amount: Amount, seed: int = 1) -> list[Case]:
    """Every case."""
    return [
        _case(chain, rate, cv, factor * chain.alone(), amount, seed)
        for chain in amount.chains
        for rate in chain.rates
        for cv in CVS
        for factor in amount.slos
    ]


def _case(chain: Chain, rate: float, cv: float, slo: float, amount: Amount, seed: int) -> Case:
    simulated = Simulated(chain, GammaArrivals(rate, cv), amount.requests)
    promise = Promise(slo)
    fine, gap = None, math.nan
    try:
        found = verify(
            simulated.problem, simulated, promise, seed=seed, clock=time.process_time, limits=Limits(amount.seconds),
            care=Care(runs=amount.runs, broken_most=0.05, again=1.0),
        )  # fmt: skip
        fine, gap = tried(simulated, found.plan, promise, amount.runs), found.found.relaxed.gap
    except NoPlan:
        pass
    plans = (coarse(simulated, slo, rate), coarse(simulated, slo, simulated.peak(slo, seed)))
    mean, peak = (None if plan is None else tried(simulated, plan, promise, amount.runs) for plan in plans)
    return Case(chain.name, rate, cv, slo, fine, mean, peak, gap)


def tried(simulated: Simulated, plan: Plan, promise: Promise, runs: int) -> Tried:
    """A plan in fresh runs."""
    points = [measured(simulated.problem, simulated, plan, promise, seed=FRESH + number) for number in range(runs)]
    late = statistics.fmean(point.late / requests for point, requests in points)
    seconds = [point.seconds for point, _ in points]
    labels = [option.label for choice in plan.choices for option in choice]
    text = ", ".join(f"{way.replicas} {way.gpu} x {way.batch}" for way in labels if isinstance(way, Ways))
    return Tried(plan.cost, statistics.fmean(seconds), late, sum(one > promise.seconds for one in seconds), runs, text)


def summary(found: Sequence[Case]) -> dict[str, Any]:
    """In how many cases each misses its promise, and by how much the baselines cost more in the median."""
    made: dict[str, Any] = {"cases": len(found)}
    for name in ("fine", "mean", "peak"):
        plans = [getattr(case, name) for case in found]
        made[f"{name}_misses"] = sum(plan is not None and plan.misses for plan in plans)
        made[f"{name}_none"] = sum(plan is None for plan in plans)
    for name in ("mean", "peak"):
        costs = [
            getattr(case, name).cost / case.fine.cost for case in found if case.fine and getattr(case, name) is not None
        ]
        if costs:
            made[f"{name}_cost_median"] = statistics.median(costs)
            made[f"{name}_cost_range"] = [min(costs), max(costs)]
    return made


def main(words: Sequence[str] | None = None) -> None:
    """Simulate and print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args(words)
    found = cases(QUICK if asked.quick else Amount())
    print(json.dumps({"summary": summary(found), "cases": [asdict(case) for case in found]}, indent=1))


if __name__ == "__main__":
    main()
