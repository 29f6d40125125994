"""The space of a plan: for each part, the ways in which it may be deployed, with what they cost by the hour and how good they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

from parti.design.choices import Choices, Site, Variant
from parti.design.graph import Design
from parti.design.llm import Llm
from parti.errors import PlanError
from parti.optimise.problem import Option, Part
from parti.planning.blueprint import WAY
from parti.planning.deployment import Deployment
from parti.planning.prices import MachineType
from parti.planning.profile import PartProfile
from parti.planning.stations import WORKS, Stations, own, part_of, tokens_of
from parti.planning.thinning import around, listed
from parti.planning.trying import attempts
from parti.sim.network import Llm as Engine
from parti.sim.network import Station
from parti.units import Seconds

REPLICAS_MORE: Final = 4
"""Where nothing is declared, up to so many times the replicas that the mean load needs are tried, and so many more."""

MACHINES_MAX: Final = 4
"""Where nothing is declared, so many machine types are tried: the cheapest for their speed."""

KINDS: Final = ("general", "compute")
"""The kinds of machine types that are tried where nothing is declared."""

PricesOfProviders = Callable[[Llm, int, int], float | None]
"""US dollars for so many tokens in and out, by a provider's list; None where it does not know the model."""


class Listed(NamedTuple):
    """Numbers of replicas of one kind of deployment: those that are options, and those besides that are known, ascending."""

    shown: tuple[int, ...]
    known: tuple[int, ...]
    quality: float

    @property
    def thinned(self) -> bool:
        """Whether numbers between those that are known were left out."""
        return self.known[-1] - self.known[0] >= len(self.known)


@dataclass(frozen=True, slots=True)
class Space:
    """Options for the parts of one design under one mean load.

    `rates` are calls per second of each station, in the mean; `held` is for how long a run of each runner holds one of its hands
    (seconds). `cloud` is whose machines are tried where a part names none. `qualities` are those of a part's variants,
    measured or declared: by part, then variant. Where a quality is `promised` (0 to 1), no variant may be without.
    """

    design: Design
    stations: Stations
    rates: Mapping[str, float]
    held: Mapping[str, Seconds]
    cloud: str
    qualities: Mapping[str, Mapping[str, float]]
    listed: PricesOfProviders = lambda *_: None
    promised: float | None = None

    def part(self, name: str) -> Part:
        """A part with its options; where its load allows too many numbers of replicas, with some of them (see `Part.between`).

        Raises P830, P832 for what is not known, and P833 for a quality that is not.
        """
        known = self.stations.profile.part(name)
        if known is None or not isinstance(self.design.by_name.get(name), WORKS):
            return Part(name, (Option(Deployment(name), 0.0),))
        choices = next((one for one in self.design.choices if one.part == name), None)
        kinds = {
            one: Listed(counts, counts, quality)
            for variant, quality in self._variants(known, choices)
            for site in self._sites(choices)
            for one, counts in self._kinds(known, choices, variant, site)
        }
        return self._listed(name, kinds)

    def options(self, part: str) -> tuple[Option, ...]:
        """The options of a part that are looked at first, cheapest first. Raises as `part`."""
        return self.part(part).options

    def _listed(self, name: str, kinds: Mapping[Deployment, Listed]) -> Part:
        found = [
            self._option(kind._replace(replicas=count), before, one.quality)
            for kind, one in kinds.items()
            for before, count in zip((None, *one.known), one.known, strict=False)
            if count in one.shown
        ]

        def between(option: Option) -> Part | None:
            closer = {kind: self._closer(kind, one, option) for kind, one in kinds.items()}
            finer = any(len(one.shown) > 1 for one in closer.values())
            return self._listed(name, closer) if finer else None

        ordered = sorted(found, key=lambda option: (option.cost, -option.quality, option.label))
        return Part(name, tuple(ordered), between if any(one.thinned for one in kinds.values()) else None)

    def _closer(self, kind: Deployment, one: Listed, option: Option) -> Listed:
        """The numbers of replicas of a kind that were left out around an option; of another kind, where that costs as much."""
        chosen, label = one.known[0], option.label
        if isinstance(label, Deployment) and label._replace(replicas=1) == kind:
            chosen = label.replicas
        else:
            chosen = max((n for n in one.known if self.cost(kind._replace(replicas=n)) <= option.cost), default=chosen)
        shown = around(one.known, chosen)
        return Listed(shown, tuple(sorted({*one.known, *shown})), one.quality)

    def _option(self, deployment: Deployment, before: int | None, quality: float) -> Option:
        """An option; `before` is the next fewer number of replicas that is looked at."""
        skipped = before is not None and before + 1 < deployment.replicas
        least = self.cost(deployment._replace(replicas=before + 1)) if skipped and before is not None else None
        return Option(deployment, self.cost(deployment), quality, _behaviour(self.stations, deployment), least)

    def cost(self, deployment: Deployment) -> float:
        """USD per hour: the share of machines that its replicas take, and what its calls cost by the token."""
        tokens = self._by_the_token(deployment)
        return self.of_machines(deployment) + tokens * self.rate(deployment.part) * 3600.0

    def of_machines(self, deployment: Deployment) -> float:
        """USD per hour for the share of machines that its replicas take."""
        machine = self.stations.prices.machine(deployment.machine) if deployment.machine else None
        return 0.0 if machine is None else deployment.replicas * deployment.cpus / machine.vcpu * machine.usd_per_hour

    def rate(self, part: str) -> float:
        """Calls of a part per second, in the mean: those of all its stations, and not the ways to them."""
        return sum(rate for name, rate in self.rates.items() if part_of(name) == part and not name.endswith(WAY))

    def check_qualities(self, parts: Collection[str]) -> None:
        """Raises P833 where a quality is promised, and none of the parts has any."""
        if self.promised is not None and not any(self.qualities.get(part) for part in parts):
            what = f"a quality of {self.promised:g} is promised, and no part has any"
            fix = 'desk.choices(part, variants=[Variant("v1", 0.9)]), or promise none'
            raise PlanError("P833", what, place=self.design.place, fix=fix)

    def _by_the_token(self, deployment: Deployment) -> float:
        """USD of one call, for a language model that is paid by the token."""
        part, known = self.design.by_name.get(deployment.part), self.stations.profile.part(deployment.part)
        if not isinstance(part, Llm) or own(part) or known is None:
            return 0.0
        tokens = tokens_of(known, deployment.variant)
        if tokens is None:
            return 0.0
        price = self.stations.prices.llm_price(part, self.listed)
        return tokens.usd or 0.0 if price is None else price.of(round(tokens.prompt.mean), round(tokens.output.mean))

    def _variants(self, known: PartProfile, choices: Choices | None) -> Iterator[tuple[str, float]]:
        declared = choices.variants if choices else ()
        measured = {*known.variants, *(one.variant for one in known.tokens)}
        for variant in declared or (Variant(""),):
            if variant.name and variant.name not in measured:
                listed = ", ".join(sorted(measured - {""})) or "none"
                what = f"the variant {variant.name!r} of `{known.part}` was not measured; measured are: {listed}"
                raise PlanError(
                    "P832",
                    what,
                    place=choices.place if choices else None,
                    fix="name one of those, or run `parti profile`",
                )
            yield variant.name, self._quality(known.part, variant, choices)

    def _quality(self, part: str, variant: Variant, choices: Choices | None) -> float:
        """How good a variant is; one that has no quality counts for nothing where none is promised."""
        found = self.qualities.get(part, {}).get(variant.name)
        if found is None and variant.name and self.promised is not None:
            what = f"a quality of {self.promised:g} is promised, and the variant {variant.name!r} of `{part}` has none"
            fix = f"Variant({variant.name!r}, 0.9), or the name of an evaluation or a metric"
            raise PlanError("P833", what, place=choices.place if choices else None, fix=fix)
        return 1.0 if found is None else found

    def _sites(self, choices: Choices | None) -> tuple[Site | None, ...]:
        return choices.sites if choices and choices.sites else (None,)

    def _kinds(
        self, known: PartProfile, choices: Choices | None, variant: str, site: Site | None
    ) -> Iterator[tuple[Deployment, tuple[int, ...]]]:
        """Deployments of one replica, and the numbers of replicas that are looked at of each."""
        where = site.name if site else ""
        cpus = choices.cpus if choices else 1.0
        alone = Deployment(known.part, 1, 1, "", variant, where)
        if self._rides_along(alone):
            yield from ((alone._replace(batch=size), (1,)) for size in self._batches(known, choices, variant))
            return
        for machine, batch in product(self._machines(choices, site), self._batches(known, choices, variant)):
            one = alone._replace(machine=machine.name, batch=batch, cpus=cpus or machine.vcpu)
            if machine.vcpu < one.cpus:
                continue  # it does not fit
            least, most = self._replicas(one, choices)
            yield one, listed(least, most)

    def _rides_along(self, deployment: Deployment) -> bool:
        """Whether it needs no machine: it only waits, as often at once as it likes, or others run it."""
        part = self.design.by_name[deployment.part]
        if isinstance(part, Llm) and not own(part):
            return True
        return self.stations.boundless(deployment)

    def _machines(self, choices: Choices | None, site: Site | None) -> tuple[MachineType, ...]:
        prices = self.stations.prices
        names = (site.machines if site else ()) or (choices.machines if choices else ())
        if names:
            found = []
            for name in names:
                machine = prices.machine(name)
                if machine is None:
                    known = ", ".join(sorted(one.name for one in prices.machines if one.cloud == name.split("/")[0]))
                    what = f"{prices.name} has no machine {name!r}"
                    place = choices.place if choices else None
                    raise PlanError("P832", what, place=place, fix=f"one of: {known}" if known else "see --prices")
                found.append(machine)
            return tuple(found)
        tried = [m for m in prices.machines if m.cloud == self.cloud and m.kind in KINDS and not m.accelerators]
        if not tried:
            clouds = ", ".join(sorted({machine.cloud for machine in prices.machines}))
            what = f"{prices.name} has no machine of {self.cloud!r} to try"
            raise PlanError("P832", what, fix=f"name another with --cloud ({clouds}), or machines= in desk.choices")
        return _worth_trying(tried)

    def _batches(self, known: PartProfile, choices: Choices | None, variant: str) -> tuple[int, ...]:
        declared = getattr(self.design.by_name[known.part], "batch", None)
        if declared is None:
            return (1,)
        if choices and choices.batches:
            return choices.batches
        measured = {one.batch for one in known.services if one.variant == (variant or known.main_variant)}
        return tuple(sorted({1, *(size for size in measured if size <= declared.size)}))

    def _replicas(self, deployment: Deployment, choices: Choices | None) -> tuple[int, int]:
        if choices and choices.replicas:
            return choices.replicas
        needed = self.rate(deployment.part) / capacity(self.stations.deployed(deployment))
        least = max(1, math.floor(needed) + 1, self.with_hands(deployment.part))
        return least, max(least, math.ceil(needed * REPLICAS_MORE)) + REPLICAS_MORE

    def with_hands(self, runner: str) -> int:
        """The fewest processes of a runner whose hands are hardly ever all at work: their mean, and four deviations more."""
        hands = getattr(self.design.by_name[runner], "concurrency", None)
        at_work = self.rate(runner) * self.held.get(runner, 0.0)
        return math.ceil((at_work + 4.0 * math.sqrt(at_work)) / hands) if hands and runner in self.held else 1


def capacity(station: Station) -> float:
    """How many calls a second a station serves at most, in the long run, with all attempts of those that fail by chance."""
    once = 1.0 if station.retry is None else attempts(station.retry)
    if isinstance(station.service, Engine):
        return _engine_capacity(station, station.service) / once
    each = station.service.mean * (station.batch.growth[-1] if station.batch and station.batch.growth else 1.0)
    size = station.batch.size if station.batch else 1
    return math.inf if each <= 0 else station.servers * size / (each * once)


def _engine_capacity(station: Station, engine: Engine) -> float:
    """With all slots at work: prompts are read one after the other, tokens written side by side."""
    reading = engine.prefill_seconds + engine.prompt.mean * engine.prefill_seconds_per_token
    step = engine.step_seconds + engine.slots * engine.step_seconds_per_sequence
    each = reading + max(0.0, engine.output.mean - 1.0) * step / engine.slots
    return math.inf if each <= 0 else station.replicas / each


def _worth_trying(machines: list[MachineType]) -> tuple[MachineType, ...]:
    """Those that no other beats in speed and price of a vCPU; of equals the smallest."""
    ordered = sorted(machines, key=lambda one: (one.usd_per_hour / one.vcpu, -(one.speed or 1.0), one.vcpu, one.name))
    found: list[MachineType] = []
    for machine in ordered:
        if not found or (machine.speed or 1.0) > (found[-1].speed or 1.0):
            found.append(machine)
    return tuple(found[:MACHINES_MAX])


def _behaviour(stations: Stations, deployment: Deployment) -> tuple[object, ...]:
    """What of a deployment the simulation can tell apart: machines of equal speed do the same."""
    servers = stations.deployed(deployment).servers
    return deployment._replace(machine="", cpus=1.0), servers, stations.speed(deployment.machine)
