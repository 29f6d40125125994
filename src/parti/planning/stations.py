"""Stations: the part of a design, as it was measured and as it is deployed, as a queueing station.

A process has one event loop, so coroutines that compute do so one after the other in each replica; blocking functions do so in
threads, on as many cores as the replica has. What waits for something outside does so as often at once as the part's
`concurrency` allows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from parti.design.endpoint import Endpoint
from parti.design.graph import Design, Part
from parti.design.handler import Handler
from parti.design.llm import LOCAL, Llm
from parti.design.model import Model
from parti.design.schedule import Schedule
from parti.design.step import Step
from parti.design.tool import Tool
from parti.errors import PlanError
from parti.planning.blueprint import AT, COMMIT, GATE, WAY
from parti.planning.computing import at_once, computes, own_cpu
from parti.planning.deployment import Deployed, Deployment
from parti.planning.prices import PriceList
from parti.planning.profile import PartProfile, Profile, Service, Tokens
from parti.planning.trying import in_thread, manners
from parti.sim.distributions import Constant, Distribution, Empirical
from parti.sim.network import EVERYONE, Batch, Rate, Station
from parti.sim.network import Llm as Engine
from parti.units import Seconds

BATCHES_AT_ONCE: Final = 1024
"""So many batches of a part that only waits are on their way at once: more than the hands of its callers fill, and few enough to
tell apart."""

FAILING: Final = 0.001
"""A part of whose calls a larger share failed is told."""

FITS: Final = 0.5
"""How much of the variance of its times a language model's tokens must explain for tokens to be simulated."""

WORKS = (Handler, Endpoint, Schedule, Step, Tool, Model, Llm)
"""Parts that run somewhere, and whose machines a plan chooses. Schedules run in one process."""

WAITS = ("person", "timer")
"""What a run waits for by intention: it is no part of a latency that anybody promised."""


@dataclass(frozen=True, slots=True)
class Stations:
    """Stations of one design, as one profile measured its parts, on machines of one price list."""

    design: Design
    profile: Profile
    prices: PriceList
    prompt: Empirical | None = None
    output: Empirical | None = None
    """Tokens of a request, where the load brings its own: they replace those of the profile."""
    patience: Seconds = math.inf
    """Timeouts of so many seconds or more are left out: whoever waits so long has broken every promise before."""

    def of(self, name: str, deployed: Deployed) -> Station:
        """The station of that name; a gate takes no time, and a commit what was measured. Raises P830 for a part that was not measured."""
        if name.startswith(COMMIT):
            return _nowhere(name, Constant(0.0) if self.profile.commit is None else self.profile.commit.distribution)
        if name.startswith(GATE):
            return _nowhere(name, Constant(0.0))
        part = part_of(name)
        if name.endswith(WAY):
            return _nowhere(name, Constant(self._way(deployed.of(part))))
        station = self.deployed(deployed.of(part))
        return station if name == part else replace(station, name=name)

    def deployed(self, deployment: Deployment) -> Station:
        """The station of a part that runs as `deployment` says. Raises P830."""
        name = deployment.part
        known = self.profile.part(name)
        if known is not None and known.kind in WAITS:
            return _nowhere(name, Constant(0.0))
        part = self.design.by_name.get(name)
        if known is None or not known.services or part is None:
            why = next((one.why for one in self.profile.unmeasured if one.part == name), "no call of it was seen")
            raise PlanError("P830", f"nothing is known of `{name}`: {why}", fix="let it work, or `parti profile`")
        if not isinstance(part, WORKS):  # an agent's own loop runs where its caller does, and takes next to nothing
            return _nowhere(name, _service(known, "", 1).seconds.distribution)
        made = self._llm(part, known, deployment) if isinstance(part, Llm) else self._worker(part, known, deployment)
        return self._tried(part, known, made)

    def _tried(self, part: Part, known: PartProfile, made: Station) -> Station:
        """The station with what its callers do when an attempt fails or takes too long."""
        engine = isinstance(made.service, Engine)
        growth = max(made.batch.growth, default=1.0) if made.batch else 1.0
        longest = 0.0 if isinstance(made.service, Engine) else _longest(made.service) * growth
        computing = self.computes(part, _service(known, "", 1))
        retry = manners(
            part, known.outcomes, computes=computing, longest=longest, patience=self.patience, engine=engine
        )
        return made if retry is None else replace(made, retry=retry)

    def crowdless(self) -> frozenset[str]:
        """The parts for which nobody ever waits, whichever variant and however they are deployed; for a batch one does wait."""
        return frozenset(known.part for known in self.profile.parts if self._crowdless(known))

    def boundless(self, deployment: Deployment) -> bool:
        """Whether as many calls as come are under way at once: it only waits, and needs no machine for that. Raises P830."""
        return self.deployed(deployment._replace(batch=1)).servers >= EVERYONE

    def failing(self) -> dict[str, float]:
        """The parts of whose calls (of a runner: runs) more than one in a thousand failed or took too long, and which share."""
        shares = {one.part: one.outcomes.failure for one in self.profile.parts}
        return {part: share for part, share in shares.items() if share > FAILING and part in self.design.by_name}

    def computes(self, part: Part, service: Service) -> bool:
        """Whether calls of a part mostly compute. Where CPU time was not measured: all but tools and language models do."""
        return computes(part, self._cpu(part.name, service), service.seconds.mean)

    def in_threads(self, name: str) -> bool:
        """Whether calls at that station compute in threads: those of blocking functions and models."""
        part, known = self.design.by_name.get(part_of(name)), self.profile.part(part_of(name))
        if part is None or known is None or not known.services or not in_thread(part):
            return False
        return self.computes(part, _service(known, "", 1))

    def speed(self, machine: str) -> float:
        """How fast a core of that machine is beside the measured one's; 1 where nobody knows."""
        listed = self.prices.machine(machine) if machine else None
        return listed.speed if listed is not None and listed.speed else 1.0

    def _crowdless(self, known: PartProfile) -> bool:
        if known.kind in WAITS:
            return True
        part = self.design.by_name.get(known.part)
        if part is None or not known.services or getattr(part, "batch", None) is not None:
            return False
        return all(self.boundless(Deployment(known.part, variant=name)) for name in known.variants)

    def _cpu(self, name: str, service: Service) -> Seconds | None:
        return own_cpu(self.design, self.profile, name, service)

    def _way(self, deployment: Deployment) -> Seconds:
        """How long the way to the part's site and back takes."""
        sites = (site for one in self.design.choices if one.part == deployment.part for site in one.sites)
        return next((site.round_trip for site in sites if site.name == deployment.site), 0.0)

    def _worker(self, part: Part, known: PartProfile, deployment: Deployment) -> Station:
        service = _service(known, deployment.variant, 1)
        seconds = self._scaled(service, deployment)
        places, batch = _places(part), _batch(part, known, deployment)
        if self.computes(part, service):
            places = min(places, at_once(part, deployment.cpus, accelerated=self._accelerated(deployment.machine)))
        elif places >= EVERYONE:
            return Station(known.part, seconds, 1, EVERYONE if batch is None else BATCHES_AT_ONCE, batch=batch)
        return Station(known.part, seconds, deployment.replicas, places, batch=batch)

    def _accelerated(self, machine: str) -> bool:
        listed = self.prices.machine(machine) if machine else None
        return listed is not None and bool(listed.accelerators)

    def _scaled(self, service: Service, deployment: Deployment) -> Distribution:
        """The measured times, of which what computes is faster on a faster core."""
        mean, cpu = service.seconds.mean, self._cpu(deployment.part, service)
        share = 1.0 if cpu is None or mean <= 0 else min(1.0, cpu / mean)
        factor = 1.0 - share + share / self.speed(deployment.machine)
        return Empirical(tuple(value * factor for value in service.seconds.quantiles))

    def _llm(self, part: Llm, known: PartProfile, deployment: Deployment) -> Station:
        """Own servers batch continuously; those of providers are there for everybody, up to the rate they allow."""
        rate = Rate(part.per_minute / 60.0) if part.per_minute else None
        tokens = tokens_of(known, deployment.variant)
        if own(part) and tokens is not None and tokens.fit >= FITS and tokens.step_seconds > 0:
            engine = self._engine(part, tokens, self.speed(deployment.machine))
            return Station(known.part, engine, deployment.replicas, rate=rate)
        service = self._scaled(_service(known, deployment.variant, 1), deployment)
        return Station(known.part, service, deployment.replicas if own(part) else 1, part.concurrency, rate=rate)

    def _engine(self, part: Llm, tokens: Tokens, speed: float) -> Engine:
        """The engine. The fit takes a step for each token, of which the first comes with the prompt read: its step is with the reading."""
        prompt, output = self.prompt or tokens.prompt.distribution, self.output or tokens.output.distribution
        return Engine(
            part.concurrency, prompt, output, (tokens.prefill_seconds + tokens.step_seconds) / speed,
            tokens.prefill_seconds_per_token / speed, tokens.step_seconds / speed, 0.0, tokens.growth,
        )  # fmt: skip


def part_of(station: str) -> str:
    """The part whose station it is; "" for a gate."""
    return "" if station.startswith(GATE) else station.split(AT, 1)[0]


def seconds_alone(station: Station) -> Seconds:
    """How long one request takes there in the mean, where nobody else is."""
    service = station.service
    if not isinstance(service, Engine):
        return service.mean
    reading = service.prefill_seconds + service.prompt.mean * service.prefill_seconds_per_token
    return reading + max(0.0, service.output.mean - 1.0) * (service.step_seconds + service.step_seconds_per_sequence)


def own(llm: Llm) -> bool:
    """Whether the model runs on a machine that one pays for by the hour, and not by the token."""
    return llm.target == LOCAL or "://" in llm.target


def tokens_of(known: PartProfile, variant: str) -> Tokens | None:
    """The tokens of a variant; of the one that was measured most where none is named."""
    chosen = variant or known.main_variant
    return next((one for one in known.tokens if one.variant == chosen), None)


def _service(known: PartProfile, variant: str, batch: int) -> Service:
    found = known.service(variant or None, batch) or next(iter(known.services), None)
    assert found is not None, "a part without services is refused before"
    return found


def _batch(part: Part, known: PartProfile, deployment: Deployment) -> Batch | None:
    """The batch of a part that takes any, of the size that is planned."""
    declared = getattr(part, "batch", None)
    if declared is None or deployment.batch <= 1:
        return None
    growth = known.growth(deployment.variant or None)
    if len(growth) < deployment.batch:
        what = f"`{known.part}` was not measured with batches of {deployment.batch}"
        raise PlanError("P830", what, fix="run `parti profile`, or choose sizes that it measured")
    return Batch(deployment.batch, declared.linger, growth[: deployment.batch])


def _places(part: Part) -> int:
    """How many calls of a part one process takes at once, as it declares."""
    declared = getattr(part, "concurrency", None)
    return EVERYONE if declared is None else int(declared)


def _longest(service: Distribution) -> Seconds:
    """The longest time that was measured."""
    return service.quantiles[-1] if isinstance(service, Empirical) else service.mean


def _nowhere(name: str, service: Distribution) -> Station:
    return Station(name, service, 1, EVERYONE)
