"""What a plan is asked for: a design, what was measured of it, prices, a load and promises; and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal

from parti.design.goals import Slo
from parti.design.graph import Design
from parti.errors import PlanError
from parti.optimise.problem import Problem, Promise
from parti.optimise.quality import Quality
from parti.planning.blueprint import Blueprint, blueprint
from parti.planning.deployment import Deployed
from parti.planning.load import Stream, Workload
from parti.planning.predicting import Model, horizon
from parti.planning.prices import PriceList
from parti.planning.profile import Profile
from parti.planning.space import PricesOfProviders, Space
from parti.planning.staged import Staged
from parti.planning.stations import Stations, seconds_alone
from parti.sim.distributions import Empirical
from parti.sim.load import Poisson
from parti.sim.network import Network
from parti.sim.offered import visit_ratios

MIXED: Final = 1024
"""Quantiles that stand for the tokens of several streams together."""

HOURS: Final = 730.0
"""Hours in a month, as clouds count them."""


@dataclass(frozen=True)
class Asked:
    """What a plan is wanted for.

    `of` are the runners whose runs are promised to end in time; empty for whole stories, from what comes in to the last run that
    it caused. `qualities` are those of variants: by part, then variant. About so many `requests` are simulated at a time.
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

    def scaled(self, factor: float) -> Asked:
        """The same for so many times the load."""
        return replace(self, workload=self.workload.scaled(factor))

    @cached_property
    def stations(self) -> Stations:
        """The stations of the design's parts, with the tokens of the load where a trace has brought any."""
        prompt, output = (_mixed(self.workload, what) for what in ("prompt", "output"))
        return Stations(self.design, self.profile, self.prices, prompt, output)

    @cached_property
    def load(self) -> Workload:
        """The workload. Where stories are cut, what their runs cause comes as a stream of its own, whose runs nobody judges."""
        caused = []
        for runner, rate in self.workload.rates.items():
            graph = self.profile.graph(runner) if runner in self.of else None
            for published in graph.published if graph else ():
                mean = rate * published.count / max(1, graph.runs if graph else 1)
                known = (handler for handler in published.handlers if self.profile.graph(handler) is not None)
                caused += [Stream(Poisson(mean), ((handler, 1.0),), f"of `{runner}`") for handler in known if mean > 0]
        return Workload((*self.workload.streams, *caused))

    @cached_property
    def blueprint(self) -> Blueprint:
        """What requests go through."""
        distant = {one.part for one in self.design.choices if any(site.round_trip for site in one.sites)}
        crowdless = self.stations.crowdless()
        return blueprint(
            self.design, self.profile, self.load.rates, crowdless=crowdless, distant=distant, until=self.of
        )

    @cached_property
    def model(self) -> Model:
        """What is simulated, but for the deployment."""
        judged = tuple(self.workload.rates)
        return Model(self.blueprint, self.stations, self.load, horizon(self.workload, self.requests), judged)

    @cached_property
    def rates(self) -> dict[str, float]:
        """Calls per second of each station, in the mean."""
        total = self.load.per_second
        entries = {self.blueprint.entries[entry]: rate / total for entry, rate in self.load.rates.items()}
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
            within = (call for call in self.blueprint.calls if call.name in set(names))
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
        most = math.inf if self.slo.usd_per_month is None else self.slo.usd_per_month / HOURS
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
