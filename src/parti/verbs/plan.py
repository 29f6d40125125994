"""Planning: the cheapest deployment that keeps the promises; a given one, predicted; two of them, compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic_core import from_json

from parti.adapters.clock import SystemClock
from parti.adapters.llm.prices import listed_cost
from parti.design.choices import Choices
from parti.design.goals import Slo
from parti.design.graph import Design
from parti.errors import PlanError, StoreError
from parti.optimise.found import Limits
from parti.optimise.verifying import Care
from parti.planning.asked import Asked
from parti.planning.comparing import Comparison, compare
from parti.planning.deployment import Deployed, OneProcess
from parti.planning.foreseeing import broken, foresee, fresh_seeds, quality_of
from parti.planning.lasting import failures_of
from parti.planning.one_process import as_declared
from parti.planning.plan_file import read_plan
from parti.planning.planned import Planned
from parti.planning.planner import plan
from parti.planning.predicting import Prediction
from parti.planning.prices import read_prices
from parti.planning.profile import Profile
from parti.planning.provenance import Provenance, about_plan, provenance
from parti.planning.storing import profile_path
from parti.units import Seconds
from parti.verbs.evaluate import stored
from parti.verbs.load import workload
from parti.verbs.profile import profile_from_traffic, stored_profile
from parti.verbs.target import Target
from parti.wiring import this_machine

Say = Callable[[str], None]
"""Is told what is under way, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to plan for. `slo` comes before what the design promises; `profile` is a file (None: the kept one, else traffic)."""

    loads: tuple[str, ...]
    slo: Slo | None = None
    of: tuple[str, ...] = ()
    profile: Path | None = None
    prices: Path | None = None
    cloud: str = "aws"
    seed: int = 1
    requests: int = 10_000
    seconds: Seconds = 15.0
    care: Care = field(default_factory=Care)
    failures: str = ""
    """How often machines fail of which the price list does not say it: ``30d/5m``; \"\" where nobody knows."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A given plan, and what it does under the load."""

    asked: Asked
    deployed: Deployed
    prediction: Prediction
    provenance: Provenance

    @property
    def usd_per_hour(self) -> float:
        """What it costs."""
        return self.asked.cost(self.deployed)

    @property
    def quality(self) -> float:
        """How good it is: parts without a quality count as perfect."""
        return quality_of(self.asked, self.deployed)

    @property
    def broken(self) -> tuple[str, ...]:
        """The promises that it does not keep, in words."""
        cost, quality = self.usd_per_hour, self.quality
        return broken(self.asked, self.deployed, self.prediction, cost=cost, quality=quality)

    @property
    def notes(self) -> tuple[str, ...]:
        """What one must know before one relies on it."""
        return tuple(about_plan(self.asked, self.deployed))


async def asked_of(target: Target, options: Options) -> Asked:
    """All that a plan is made from. Raises P820 to P829 and P838 for bad input, P830 without promises, P832 for unmeasured qualities."""
    design = target.design
    slo = options.slo or design.slo
    if slo is None:
        fix = 'declare System(slo=Slo(p99="2s")), or give --p99'
        raise PlanError("P835", f"{design.name} promises nothing to plan for", place=design.place, fix=fix)
    profile = await _profile(target, options.profile)
    load = await workload(target, options.loads, profile)
    return Asked(
        design, profile, read_prices(options.prices), load, slo, options.of, options.cloud,
        await _qualities(target, design), options.requests, options.seed, listed_cost,
        failures_of(options.failures) if options.failures else None,
    )  # fmt: skip


async def planned(target: Target, options: Options, *, say: Say) -> tuple[Asked, Planned, Provenance]:
    """The cheapest plan that keeps the promises, and what it rests on. Raises P811 where none does."""
    asked = await asked_of(target, options)
    limits = Limits(seconds=options.seconds)
    clock = SystemClock()
    found = plan(asked, clock=clock.now, limits=limits, care=options.care, say=say)
    return asked, found, provenance(asked, clock.now())


async def predicted(target: Target, options: Options, fixed: Path | None) -> Fixed:
    """What a plan file does under the load; without one, all parts in one process on this machine, as `up` runs them."""
    asked = await asked_of(target, options)
    together = OneProcess(this_machine().fingerprint().cores)
    deployed = as_declared(target.design, together) if fixed is None else read_plan(fixed, asked)
    prediction = foresee(asked, deployed, fresh_seeds(options.seed))
    return Fixed(asked, deployed, prediction, provenance(asked, SystemClock().now()))


async def compared(target: Target, options: Options, fixed: Path, other: Path) -> tuple[Asked, Comparison]:
    """Two plan files under the same requests and draws."""
    asked = await asked_of(target, options)
    seeds = fresh_seeds(options.seed)
    return asked, compare(asked, read_plan(fixed, asked), read_plan(other, asked), seeds)


async def _profile(target: Target, given: Path | None) -> Profile:
    """The kept profile; where none was made, that of ordinary traffic."""
    if given is not None or profile_path(target.path).exists():
        return stored_profile(target, given)
    return await profile_from_traffic(target)


async def _qualities(target: Target, design: Design) -> Mapping[str, Mapping[str, float]]:
    """The quality of each declared variant: as declared, by its evaluation's latest result, or by its version's metric."""
    found: dict[str, dict[str, float]] = {}
    for choices in design.choices:
        for variant in choices.variants:
            quality = variant.quality
            if isinstance(quality, str):
                quality = await _measured(target, choices, variant.name, quality)
            if quality is not None:
                found.setdefault(choices.part, {})[variant.name] = float(quality)
    return found


async def _measured(target: Target, choices: Choices, variant: str, name: str) -> float:
    """What an evaluation, or a metric of the registry, says of a variant."""
    if any(evaluation.name == name for evaluation in target.design.evaluations):
        results = await stored(target, name)
        if results:
            return results[-1].mean
    try:
        async with target.reading() as store:
            known = [one for one in await store.models() if one.model == choices.part]
            versions = [one for one in known if variant in (f"v{one.version}", "")]
    except StoreError as none:
        if none.code != "P208":
            raise
        versions = []
    metrics = from_json(versions[-1].metrics) if versions else {}
    if name in metrics:
        return float(metrics[name])
    what = (
        f"the quality of the variant {variant!r} of `{choices.part}` is {name!r}, and nothing of that name was measured"
    )
    raise PlanError("P832", what, place=choices.place, fix=f"run `parti eval {name}`, or give a number")
