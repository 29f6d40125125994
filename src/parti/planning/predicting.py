"""Predicting: what a plan does under a load, over independent replications, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from parti.extras import need
from parti.optimise.oracle import quantile
from parti.planning.blueprint import Blueprint
from parti.planning.deployment import Deployed
from parti.planning.load import Workload
from parti.planning.one_process import LOOP, in_one_process
from parti.planning.sampling import sample
from parti.planning.sharing import between, sharing, slower
from parti.planning.stations import Stations, part_of
from parti.planning.windows import WARMUP
from parti.sim.critical import critical_parts
from parti.sim.load import Load
from parti.sim.network import Limit, Network
from parti.sim.offered import visit_ratios
from parti.sim.replications import Interval, interval
from parti.sim.result import Outcome, Simulated
from parti.sim.simulating import simulate
from parti.units import Seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPLICATIONS: Final = 10
"""Runs with arrivals and draws of their own that make one prediction."""

SETTLING: Final = 5
"""Rounds until one process shares as many runs to a commit as its load makes; more change nothing that shows."""

LEVELS: Final = (0.5, 0.95, 0.99)

EVENT_LOOP: Final = "event loop"
"""Under this name stands what all parts of one process share, in predictions of one."""

TAIL: Final = (0.98, 0.999)
"""The p99 request's time is the mean over those between these quantiles: one request alone tells nothing."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is simulated, but for the deployment: a blueprint, its stations, and the runs that each process takes at once."""

    blueprint: Blueprint
    stations: Stations
    workload: Workload
    seconds: Seconds
    """How much of the load's time is simulated in each replication."""
    judged: tuple[str, ...]
    """The entries or runners whose requests count; others are only in the way."""

    @property
    def warmup(self) -> Seconds:
        """How much of it is left out at the start."""
        return self.seconds * WARMUP

    def network(self, deployed: Deployed, *, limits: bool = True) -> Network:
        """The network of a plan. Without `limits` the hands of runners bound nothing, and more of it is feed-forward."""
        stations = tuple(self.stations.of(name, deployed) for name in self.blueprint.stations)
        network = Network(
            stations, next(iter(self.blueprint.entries.values())), self.blueprint.routes, self.blueprint.calls,
            tuple(self._limits(deployed)) if limits else (),
        )  # fmt: skip
        if deployed.together is None:
            return network
        return in_one_process(network, self.blueprint, self.stations, deployed.together)

    def counts(self, load: Load) -> NDArray[np.bool_]:
        """Which requests of a load count: those that enter where they are judged, after the warm-up."""
        return self.judges(load) & (load.arrived >= self.warmup)

    def judges(self, load: Load) -> NDArray[np.bool_]:
        """Which requests of a load enter where they are judged."""
        np = need("numpy", extra="plan", purpose="planning")
        places = [at for at, call in enumerate(self.blueprint.calls) if call.name in self._judged]
        found: NDArray[np.bool_] = np.isin(load.entries, places)
        return found

    def ends_well(self, network: Network) -> float:
        """The share of judged requests of whose runs none failed or took too long, as measured. Each run of a story counts.

        The simulation draws no such failures, since what a program makes of one is its own affair.
        """
        rates = {entry: rate for entry, rate in self.workload.rates.items() if entry in self.judged}
        failed = {name: share for name in self.blueprint.within if (share := self._failure(name)) > 0}
        if not failed:
            return 1.0
        shares = (rate * self._story(network, entry, failed) for entry, rate in rates.items())
        return sum(shares) / sum(rates.values())

    def _failure(self, runner: str) -> float:
        known = self.stations.profile.part(runner)
        return known.outcomes.failure if known is not None else 0.0

    def _story(self, network: Network, entry: str, failed: Mapping[str, float]) -> float:
        """How probably all runs of a story end well: those of each runner, as often as they come in the mean."""
        ratios = visit_ratios(network, {self.blueprint.entries[entry]: 1.0})
        begins = {name: self.blueprint.within[name][0] for name in failed}
        return float(math.prod((1.0 - share) ** ratios[begins[name]] for name, share in failed.items()))

    @property
    def _judged(self) -> set[str]:
        return {self.blueprint.entries.get(entry, entry) for entry in self.judged}

    def _limits(self, deployed: Deployed) -> list[Limit]:
        found = []
        for runner, calls in self.blueprint.within.items():
            hands = getattr(self.stations.design.by_name[runner], "concurrency", None)
            if hands is not None and len(calls) > 1:
                found.append(Limit(runner, deployed.of(runner).replicas * hands, calls))
        return found


@dataclass(frozen=True, slots=True)
class PartPrediction:
    """How busy a part is (0 to 1 of its servers), how many calls wait for it in the mean, and what a p99 request spends there."""

    part: str
    use: Interval
    queue: Interval
    waiting: Seconds
    batching: Seconds
    service: Seconds
    retrying: Seconds


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a plan does under a load. Latencies are seconds, from arrival until the last run of the story ended.

    `done` is the share of requests that ended well, `throughput` how many did each second. The share of runs that failed when
    they were measured is taken off both; latencies are those of the rest.
    """

    p50: Interval
    p95: Interval
    p99: Interval
    done: Interval
    throughput: Interval
    parts: tuple[PartPrediction, ...]
    unstable: tuple[str, ...]
    """Parts that get more than they can serve, in the long run."""
    there: float = 1.0
    """For which share of the time as many replicas of each part are up as the load needs; `done` and `throughput` are less by that."""


def predict(model: Model, deployed: Deployed, seeds: Sequence[int]) -> Prediction:
    """What the plan does, over one replication for each of the seeds (at least two)."""
    network = model.network(settled(model, deployed, seeds[0]))
    return predicted_by(model, network, [simulated(model, network, seed) for seed in seeds])


def predicted_by(model: Model, network: Network, runs: Sequence[Run]) -> Prediction:
    """What these replications of a plan (at least two) say of it."""
    taken = [latencies(one.run, one.counted) for one in runs]
    p50, p95, p99 = (interval([quantile(one, level) for one in taken]) for level in LEVELS)
    well = model.ends_well(network)
    done = interval([well * float((one < math.inf).mean()) if len(one) else well for one in taken])
    throughput = interval([well * _throughput(run) for run in runs])
    parts = _parts(network, runs)
    unstable = tuple(part.part for part in parts if part.use.mean >= 0.999)
    return Prediction(p50, p95, p99, done, throughput, parts, unstable)


def settled(model: Model, deployed: Deployed, seed: int) -> Deployed:
    """A plan of one process with as many runs to a commit as there are under its load, and all as slow as they make each other.

    The more the loop is free, the fewer runs wait for a commit together: each round begins with what the one before found.
    """
    for _ in range(SETTLING if deployed.together is not None else 0):
        together = deployed.together
        assert together is not None
        network = model.network(deployed)
        run = simulated(model, network, seed).run
        computing = {LOOP, *(one.name for one in network.stations if model.stations.in_threads(one.name))}
        factors = between(dict(together.slower), slower(network, run, computing, together.cores))
        middle = (together.sharing + sharing(network, run)) / 2.0
        deployed = replace(deployed, together=replace(together, sharing=middle, slower=factors))
    return deployed


class Run(NamedTuple):
    """A replication, and which of its requests count: of all that are judged those after the warm-up."""

    run: Simulated
    counted: NDArray[np.bool_]
    judged: NDArray[np.bool_]


def simulated(model: Model, network: Network, seed: int) -> Run:
    """One replication."""
    load = sample(model.workload, model.blueprint, seconds=model.seconds, seed=seed)
    run = simulate(network, load, seed=seed, warmup=model.warmup)
    return Run(run, model.counts(load), model.judges(load))


def _throughput(one: Run) -> float:
    """How many judged requests ended well each second, between the warm-up and the last arrival."""
    run = one.run
    if not run.window:
        return 0.0
    ended = (run.outcome == Outcome.DONE) & (run.left >= run.warmup) & (run.left <= run.arrived[-1])
    return float((ended & one.judged).sum()) / run.window


def latencies(run: Simulated, counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How long each of the counted requests took, in seconds; infinite for those that did not end well."""
    np = need("numpy", extra="plan", purpose="planning")
    return np.where(run.outcome == Outcome.DONE, run.left - run.arrived, np.inf)[counted]


def _parts(network: Network, runs: Sequence[Run]) -> tuple[PartPrediction, ...]:
    """The figures of each part; the ways to its site count to its service, and gates to nothing."""
    uses, queues = [one.run.use() for one in runs], [one.run.queue() for one in runs]
    stations: dict[str, list[str]] = {}
    for station in network.stations:
        if part := EVENT_LOOP if station.name == LOOP else part_of(station.name):
            stations.setdefault(part, []).append(station.name)
    spent = _tail(network, runs)
    return tuple(
        PartPrediction(
            part,
            interval([max(use[name] for name in names) for use in uses]),
            interval([sum(queue[name] for name in names) for queue in queues]),
            *(sum(spent[name][column] for name in names) for column in range(4)),
        )
        for part, names in stations.items()
    )


def _tail(network: Network, runs: Sequence[Run]) -> dict[str, tuple[float, ...]]:
    """What requests around the 99th percentile spend at each station on their critical path: means, in seconds."""
    np = need("numpy", extra="plan", purpose="planning")
    rows: dict[str, list[NDArray[np.float64]]] = {station.name: [] for station in network.stations}
    for run, counted, _ in runs:
        chosen = _around_p99(np, run, counted)
        parts = critical_parts(run)
        each = np.stack([parts.waiting, parts.batching, parts.service, parts.retrying])[:, :, chosen].mean(axis=2)
        for column, call in enumerate(network.all_calls()):
            rows[call.station].append(each[:, column])
    count = max(1, len(runs))
    return {name: tuple(map(float, np.sum(one, axis=0) / count)) if one else (0.0,) * 4 for name, one in rows.items()}


def _around_p99(np: Any, run: Simulated, counted: NDArray[np.bool_]) -> Any:
    """Which requests took about as long as the 99th percentile."""
    well = counted & (run.outcome == Outcome.DONE)
    taken = np.where(well, run.left - run.arrived, np.nan)
    low, high = np.nanquantile(taken, TAIL) if well.any() else (0.0, 0.0)
    chosen = well & (taken >= low) & (taken <= high)
    return chosen if chosen.any() else well
