"""What a plan is asked for: a design, what was measured of it, prices, a load and promises; and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal

from parti.design.goals import Slo
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.design.topic import Topic
from parti.errors import PlanError
from parti.optimise.problem import Problem, Promise
from parti.optimise.quality import Quality
from parti.planning.blueprint import Blueprint, Runner, blueprint
from parti.planning.causes import causes, run_rates
from parti.planning.deployment import Deployed
from parti.planning.lasting import Failures
from parti.planning.load import Stream, Workload
from parti.planning.predicting import Model
from parti.planning.prices import PriceList
from parti.planning.profile import Profile
from parti.planning.space import PricesOfProviders, Space
from parti.planning.staged import Staged
from parti.planning.stations import Stations, seconds_alone
from parti.planning.windows import cut, horizon
from parti.sim.distributions import Empirical
from parti.sim.load import Poisson, Ticks
from parti.sim.network import Network
from parti.sim.offered import visit_ratios
from parti.units import HOURS_A_MONTH

PATIENCE: Final = 10.0
"""Timeouts of so many times the promised latency, or more, are left out: whoever waits so long has broken the promise before."""

MIXED: Final = 1024
"""Quantiles that stand for the tokens of several streams together."""


@dataclass(frozen=True)
class Asked:
    """What a plan is wanted for.

    `of` are the runners whose runs are promised to end in time, whatever begins them; empty for whole stories, from what comes in to
    the last run that it caused. `qualities` are those of variants: by part, then variant. About so many `requests` are simulated at a time.
    Raises P830 to P833 for what cannot be planned.
    """

    design: Design
    profile: Profile
    prices: PriceList
    workload: Workload
    slo: Slo
    of: tuple[str, ...] = ()
    cloud: str = "aws"
    qualities: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    requests: int = 10_000
    seed: int = 1
    listed: PricesOfProviders = lambda *_: None
    """What providers' lists say of language models."""
    failures: Failures | None = None
    """How often machines fail of which the price list does not say it; None: nobody knows, and they are taken not to."""

    def scaled(self, factor: float) -> Asked:
        """The same for so many times the load."""
        return replace(self, workload=self.workload.scaled(factor))

    @cached_property
    def stations(self) -> Stations:
        """The stations of the design's parts, with the tokens of the load where a trace has brought any."""
        prompt, output = (_mixed(self.workload, what) for what in ("prompt", "output"))
        patience = PATIENCE * self.slo.p99
        return Stations(self.design, self.profile, self.prices, prompt, output, patience)

    @cached_property
    def load(self) -> Workload:
        """All that arrives: the workload, and besides it ticks of schedules, and runs of which the cause was cut off.

        Runs of `of` are requests of their own. Where runs cause them, and what they cause, comes as a Poisson stream each.
        """
        parted: dict[str, float] = {}
        for cause in causes(self.profile):
            rate = self._runs.get(cause.runner, 0.0) * cause.mean
            if rate > 0 and (cause.runner in self.of or cause.handler in self.of):
                parted[cause.handler] = parted.get(cause.handler, 0.0) + rate
        caused = (Stream(Poisson(rate), ((name, 1.0),), f"runs of `{name}`") for name, rate in parted.items())
        return Workload((*self.workload.streams, *self._ticks, *caused))

    @cached_property
    def _ticks(self) -> tuple[Stream, ...]:
        """A stream for each schedule that was seen at work."""
        known = {graph.caller for graph in self.profile.graphs} & {
            one.part for one in self.profile.parts if one.services
        }
        return tuple(
            Stream(Ticks(one.every), ((one.name, 1.0),), f"ticks of `{one.name}`")
            for one in self.design.all(Schedule)
            if one.name in known
        )

    @cached_property
    def _runs(self) -> dict[str, float]:
        """Runs a second of each runner, whatever begins them. Raises P831."""
        entering: dict[str, float] = {}
        for entry, rate in Workload((*self.workload.streams, *self._ticks)).rates.items():
            topic = isinstance(self.design.by_name.get(entry), Topic)
            for runner in (one.name for one in self.design.all(Handler) if one.topic == entry) if topic else (entry,):
                entering[runner] = entering.get(runner, 0.0) + rate
        return run_rates(causes(self.profile), entering)

    @cached_property
    def judged(self) -> tuple[str, ...]:
        """The entries, or the runners of `of`, whose requests count. Raises P830 for what is no runner, or never runs under this load."""
        known = [part.name for part in self.design.parts if isinstance(part, Runner)]
        for name in self.of:
            if name not in known:
                what = f"{self.design.name} has no handler, endpoint or schedule {name!r}"
                raise PlanError("P830", what, fix=f"--of takes one of: {', '.join(known)}")
            if self._runs.get(name, 0.0) <= 0:
                what = f"nothing that arrives begins or causes a run of `{name}`"
                raise PlanError("P830", what, fix=f"give it a load, or one of: {', '.join(self._runs)}")
        return tuple(dict.fromkeys(self.of)) or tuple(self.workload.rates)

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever reads the plan should know of how the load is simulated."""
        return cut(self.load, self.model.seconds, self._promised)

    @cached_property
    def blueprint(self) -> Blueprint:
        """What requests go through. Raises P830 and P831."""
        _ = self.judged
        distant = {one.part for one in self.design.choices if any(site.round_trip for site in one.sites)}
        crowdless = self.stations.crowdless()
        return blueprint(
            self.design, self.profile, self.load.rates, crowdless=crowdless, distant=distant, until=self.of
        )

    @cached_property
    def model(self) -> Model:
        """What is simulated, but for the deployment."""
        judged = self.judged
        rates = self._runs if self.of else self.workload.rates
        seconds = horizon(self.load, self.requests, sum(rates[name] for name in judged), self._promised)
        return Model(self.blueprint, self.stations, self.load, seconds, judged)

    @property
    def _promised(self) -> float:
        """The promised p99 in seconds; 0 where only a prediction is wanted, and nothing is promised."""
        return self.slo.p99 if self.slo is not None else 0.0

    @cached_property
    def rates(self) -> dict[str, float]:
        """Calls per second of each station, in the mean."""
        total, entries = self.load.per_second, dict[str, float]()
        for entry, rate in self.load.rates.items():
            for begin in (self.blueprint.entries[entry], *self.blueprint.beside.get(entry, ())):
                entries[begin] = entries.get(begin, 0.0) + rate / total
        ratios = visit_ratios(self._network, entries)
        found: dict[str, float] = {}
        for call in self.blueprint.calls:
            found[call.station] = found.get(call.station, 0.0) + ratios[call.name] * total
        return found

    @cached_property
    def held(self) -> dict[str, float]:
        """For how long a run of each runner holds one of its hands where nobody waits, in the mean (seconds)."""
        stations = {station.name: station for station in self._network.stations}
        found = {}
        for runner, names in self.blueprint.within.items():
            ratios = visit_ratios(self._network, {runner: 1.0})
            own = set(names)
            within = (call for call in self.blueprint.calls if call.name in own)
            found[runner] = sum(ratios[call.name] * seconds_alone(stations[call.station]) for call in within)
        return found

    @cached_property
    def _network(self) -> Network:
        return self.model.network(Deployed(()), limits=False)

    @cached_property
    def space(self) -> Space:
        """The options of each part."""
        return Space(
            self.design, self.stations, self.rates, self.held, self.cloud, self.qualities, self.listed, self.slo.quality
        )

    def cost(self, deployed: Deployed) -> float:
        """What a plan costs, in USD per hour."""
        return sum(self.space.cost(one) for one in deployed.parts)

    @cached_property
    def staged(self) -> Staged:
        """The simulation as a search sees it."""
        return Staged(self.model)

    @cached_property
    def problem(self) -> Problem:
        """The problem that is searched."""
        return self.staged.problem(self.space, self._quality())

    def _quality(self) -> Quality:
        """How qualities combine, as declared. Where one part alone has any, its quality is that of the system."""
        parts = sorted(part for part, known in self.qualities.items() if known)
        if self.slo.combine == "mean":
            return Quality("mean", dict.fromkeys(parts, 1.0)) if parts else Quality()
        if self.slo.combine is None and len(parts) > 1 and self.slo.quality is not None:
            what = f"{', '.join(f'`{part}`' for part in parts)} have qualities, and nothing says how they combine"
            fix = 'declare Slo(combine="product"), "minimum" or "mean"'
            raise PlanError("P833", what, place=self.design.place, fix=fix)
        return Quality(self.slo.combine or "product")

    @property
    def promise(self) -> Promise:
        """What is promised, as a search takes it."""
        most = math.inf if self.slo.usd_per_month is None else self.slo.usd_per_month / HOURS_A_MONTH
        return Promise(self.slo.p99, 0.99, self.slo.quality or 0.0, most)


def _mixed(workload: Workload, what: Literal["prompt", "output"]) -> Empirical | None:
    """The tokens of all streams that have any, each as often as it comes; None where none has."""
    known: list[tuple[Empirical, float]] = [
        (tokens, stream.per_second) for stream in workload.streams if (tokens := getattr(stream, what)) is not None
    ]
    if len(known) < 2:
        return known[0][0] if known else None
    total = sum(rate for _, rate in known)
    drawn = [value for tokens, rate in known for value in tokens.thinned(max(2, round(MIXED * rate / total)))]
    return Empirical.of(drawn)
