"""The planner: the cheapest plan that keeps the promises, verified, and the questions that one asks about it, answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from parti.optimise.found import Limits
from parti.optimise.front import Sweep, prices, sweep
from parti.optimise.measuring import measured
from parti.optimise.problem import Option, Part, Plan, Problem
from parti.optimise.refusing import NoPlan
from parti.optimise.verifying import Care, Verified, verify
from parti.planning.asked import Asked
from parti.planning.deployment import Deployed, Deployment
from parti.planning.foreseeing import broken, foresee, fresh_seeds
from parti.planning.overload import available, share_of_each, steady
from parti.planning.planned import Change, FrontPoint, Planned, PlannedPart, Verification
from parti.planning.predicting import Prediction, predict
from parti.planning.provenance import about_plan
from parti.planning.stations import WORKS
from parti.units import HOURS_A_MONTH, duration_text

HARDLY: Final = 0.05
"""Waiting below this share of a p99 is no bottleneck."""

AGAIN: Final = 0.1
"""Searches for other promises take this share of the time of the first one."""

FEWER: Final = 3
"""So many replications tell what would be otherwise, once the time is over."""

Say = Callable[[str], None]


def plan(
    asked: Asked, *, clock: Callable[[], float], limits: Limits, care: Care | None = None, say: Say = print
) -> Planned:
    """The plan. Raises P811 where none keeps the promises, P830 to P833 and P836 for what cannot be planned.

    What follows from it is looked at for as long again as the search may take, at most.
    """
    say("getting ready")
    problem = steady(asked)
    asked.staged.warm(problem)
    say("searching")
    try:
        found = verify(
            problem, asked.staged, asked.promise, seed=asked.seed, clock=clock, limits=limits, care=care or Care()
        )
    except NoPlan as none:
        raise _by_the_month(asked, none) from none
    return _Telling(asked, problem, found, clock, limits, say).told()


def _by_the_month(asked: Asked, none: NoPlan) -> NoPlan:
    """What breaks a budget, in the dollars a month in which it was promised."""
    if none.broken != "budget" or none.best is None:
        return none
    least, most = none.best.cost * HOURS_A_MONTH, asked.promise.cost_most * HOURS_A_MONTH
    found = "costs" if none.proved else "that was found costs"
    what = f"no plan keeps its promises for ${most:,.2f} a month: the cheapest {found} ${least:,.2f}"
    told = NoPlan("P811", what, fix=f"allow ${least:,.2f} a month, or promise less; most of it goes to `{none.part}`")
    told.broken, told.part, told.best, told.proved = none.broken, none.part, none.best, none.proved
    return told


class _Telling:
    """A verified plan, and what is to be said of it."""

    def __init__(
        self, asked: Asked, problem: Problem, verified: Verified, clock: Callable[[], float], limits: Limits, say: Say
    ) -> None:
        self.asked, self.problem, self.verified, self.clock, self.say = asked, problem, verified, clock, say
        self.limits = Limits(limits.seconds * AGAIN, limits.extensions, limits.memory)
        self._until = clock() + limits.seconds
        self.options = verified.plan.options(self.problem)
        self._menus = {part.name: _menu(part, self.options[part.name]) for part in problem.parts()}
        self._quality = problem.quality_of(verified.plan)
        self.deployed = deployed_of(self.options.values())
        self.seeds = fresh_seeds(asked.seed)
        self.p99 = self._p99(verified.plan)

    def told(self) -> Planned:
        """All of it."""
        asked, verified = self.asked, self.verified
        self.say("predicting")
        prediction = foresee(asked, self.deployed, self.seeds)
        self.say("asking what else could be")
        parts = tuple(self._parts())
        check, found = verified.check, verified.found
        swept = sweep(
            self.problem, asked.staged, found,
            clock=self.clock, limits=self.limits, qualities=self._qualities(), until=self._until,
        )  # fmt: skip
        cost, quality = verified.plan.cost, self._quality
        kept = not broken(asked, self.deployed, prediction, cost=cost, quality=quality)
        return Planned(
            parts,
            cost,
            quality,
            prediction,
            found.proof,
            found.relaxed,
            self.problem.plans,
            Verification(len(check.seeds), check.broken, check.seconds_high, len(verified.rounds), verified.safety),
            tuple(self._front(swept)),
            bottleneck(prediction),
            self._next_step(prediction),
            tuple(self._relaxing(swept)),
            tuple(self._sensitivity(prediction)),
            tuple(self._notes(prediction, kept)),
            kept,
        )

    @property
    def _in_time(self) -> bool:
        """Whether there is time to ask what else could be."""
        return self.clock() < self._until

    def _qualities(self) -> tuple[float, ...]:
        """Qualities to look at besides the promised one: those that single variants would make of the plan."""
        found = {
            self._quality_with(name, option)
            for name in self.options
            for option in self._menus[name]
            if option.quality != self.options[name].quality
        }
        return tuple(sorted(found)[-4:])

    # One part

    def _parts(self) -> Iterator[PlannedPart]:
        told = set()
        for name, option in self.options.items():
            deployment = option.label
            if isinstance(deployment, Deployment) and self._works(deployment.part) and deployment.part not in told:
                told.add(deployment.part)
                yield PlannedPart(deployment, option.cost, option.quality, self._reason(name, option))

    def _works(self, part: str) -> bool:
        """Whether it runs somewhere by itself: an agent runs in its caller, and nobody deploys a person."""
        return isinstance(self.asked.design.by_name.get(part), WORKS)

    def _reason(self, part: str, option: Option) -> str:
        """Why it is not cheaper: what happens with the next cheaper option of the part."""
        assert isinstance(option.label, Deployment)
        cheaper = [one for one in self._menus[part] if one.cost < option.cost]
        if not option.label.machine:
            return "only waits, so it runs inside its caller" if not option.cost else "is paid by the call"
        if not cheaper:
            return self._least(part, option.label)
        if not self._in_time:
            return "cheaper ones did not keep the promises together with the others"
        other = max(cheaper, key=lambda one: (one.cost, one.quality))
        at = self._p99(self._with(part, other))
        saved = f"${(option.cost - other.cost) * HOURS_A_MONTH:.0f} a month less"
        if other.quality < option.quality and self._quality_with(part, other) < self.asked.promise.quality_least:
            return f"{_difference(option, other)} for {saved} falls short of the promised quality"
        if at > self.asked.promise.seconds:
            return f"{_difference(option, other)} for {saved} has a p99 of {_seconds(at)}"
        return f"{_difference(option, other)} for {saved} keeps p99 at {_seconds(at)} here, but not in every fresh run"

    def _least(self, part: str, chosen: Deployment) -> str:
        """Why a part has the fewest replicas that the search could choose."""
        fewer = chosen._replace(replicas=chosen.replicas - 1)
        if fewer.replicas and self.asked.space.with_hands(part) > fewer.replicas:
            return "fewer would have too few hands for its runs"
        if fewer.replicas and 0.0 < available(self.asked, fewer) < share_of_each(self.asked):
            return "fewer would not be there often enough for the promised availability"
        return "nothing cheaper can serve this load"

    def _with(self, part: str, option: Option) -> Plan:
        """The plan with another option for one part."""
        chosen = {**self.options, part: option}
        return Plan(tuple(tuple(chosen[one.name] for one in stage.parts) for stage in self.problem.stages))

    def _quality_with(self, part: str, option: Option) -> float:
        return self.problem.quality_of(self._with(part, option))

    def _p99(self, plan: Plan) -> float:
        """On the sample that was searched."""
        asked = self.asked
        return measured(self.problem, asked.staged, plan, asked.promise, seed=asked.seed)[0].seconds

    # What else could be

    def _next_step(self, now: Prediction) -> Change | None:
        """The change of one part that makes p99 smaller by most for its price, and still does where it is predicted."""
        best: tuple[float, Plan, str] | None = None
        for name, option in self.options.items():
            dearer = [one for one in self._menus[name] if one.cost > option.cost and one.quality >= option.quality]
            for other in sorted(dearer, key=lambda one: one.cost)[: 2 if self._in_time else 0]:
                changed = self._with(name, other)
                p99, more = self._p99(changed), other.cost - option.cost
                gain = (self.p99 - p99) / more
                if p99 < self.p99 and (best is None or gain > best[0]):
                    best = gain, changed, _difference(option, other)
        if best is None:
            return None
        predicted = self._predicted(best[1])
        return Change(best[2], best[1].cost, predicted, True) if predicted < now.p99.mean else None

    def _predicted(self, plan: Plan) -> float:
        """The p99 of another plan, on the fresh samples of the prediction."""
        seeds = self.seeds if self._in_time else self.seeds[:FEWER]
        return foresee(self.asked, deployed_of(plan.options(self.problem).values()), seeds).p99.mean

    def _relaxing(self, swept: Sweep) -> Iterator[Change]:
        """What each promise costs, by what less of it would."""
        promise = self.asked.promise
        limits, until = self.limits, self._until
        for price in prices(self.problem, self.asked.staged, swept, clock=self.clock, limits=limits, until=until):
            if price.promise == "seconds":
                what = f"promise {duration_text(price.after)} instead of {duration_text(price.before)}"
            elif price.promise == "quality":
                what = f"promise a quality of {price.after:.3g} instead of {price.before:.3g}"
            else:
                what = f"spend {price.after / price.before - 1:.0%} more, for the least p99"
            yield Change(
                what, price.best.cost, self._predicted(price.best.plan), price.best.quality >= promise.quality_least
            )

    def _sensitivity(self, now: Prediction) -> Iterator[Change]:
        """The same plan under more load, with a replica less of each part that has several, and at dearer machines."""
        asked, cost = self.asked, self.verified.plan.cost
        more = asked.scaled(1.5)
        yield self._change("1.5 times the load", more, self.deployed, more.cost(self.deployed))
        for one in self.deployed.parts:
            if one.machine and one.replicas > 1 and self._in_time:
                yield self._change(f"`{one.part}` loses a replica", asked, self._without_one(one.part), cost, lost=True)
        machines = sum(asked.space.of_machines(one) for one in self.deployed.parts)
        dearer = cost + 0.2 * machines
        kept = not broken(asked, self.deployed, now, cost=dearer, quality=self._quality)
        yield Change("machines cost a fifth more", dearer, now.p99.mean, kept)

    def _change(self, what: str, asked: Asked, deployed: Deployed, cost: float, *, lost: bool = False) -> Change:
        """A plan under a load; with a replica `lost`, while no other one is."""
        seeds = self.seeds if self._in_time else self.seeds[:FEWER]
        found = predict(asked.model, deployed, seeds) if lost else foresee(asked, deployed, seeds)
        kept = not broken(asked, deployed, found, cost=cost, quality=self._quality)
        return Change(what, cost, found.p99.mean, kept)

    def _without_one(self, part: str) -> Deployed:
        fewer = (one._replace(replicas=one.replicas - 1) if one.part == part else one for one in self.deployed.parts)
        return Deployed(tuple(fewer))

    def _front(self, swept: Sweep) -> Iterator[FrontPoint]:
        for point in swept.front:
            yield FrontPoint(
                point.cost, point.seconds, point.quality, deployed_of(point.plan.options(self.problem).values())
            )

    def _notes(self, prediction: Prediction, kept: bool) -> Iterator[str]:
        asked = self.asked
        yield from about_plan(asked, self.deployed)
        if not kept and prediction.p99.high > asked.promise.seconds:
            yield "the hands that its runners have are too few, which the search does not know: raise their concurrency="
        if prediction.done.low < asked.slo.availability:
            yield f"only {prediction.done.low:.4%} of requests end well, of {asked.slo.availability:.4%} that are promised"


def _menu(part: Part, chosen: Option) -> tuple[Option, ...]:
    """The options of a part that were looked at, and those next to the plan's own."""
    closer = part.between(chosen) if part.between is not None else None
    return tuple(dict.fromkeys((*part.options, *(closer.options if closer else ()))))


def deployed_of(options: Iterable[Option]) -> Deployed:
    """Options as deployments, of the parts that run otherwise than if nothing was said of them."""
    found = (one.label for one in options)
    return Deployed(tuple(one for one in found if isinstance(one, Deployment) and one != Deployment(one.part)))


def bottleneck(prediction: Prediction) -> str:
    """Where requests around p99 wait longest, in words; where hardly anybody waits, where they are worked on longest."""
    if not prediction.parts:
        return ""
    waits = max(prediction.parts, key=lambda one: one.waiting + one.batching)
    if waits.waiting + waits.batching >= HARDLY * prediction.p99.mean:
        return f"the bottleneck is `{waits.part}`: most of the waiting of a p99 request is there"
    works = max(prediction.parts, key=lambda one: one.service)
    return f"hardly anybody waits: `{works.part}` takes most of a p99 request's time"


def _difference(now: Option, other: Option) -> str:
    """What another option would change, in words."""
    one, two = now.label, other.label
    assert isinstance(one, Deployment) and isinstance(two, Deployment)
    words = []
    if two.replicas != one.replicas:
        words.append(f"{two.replicas} {'replica' if two.replicas == 1 else 'replicas'}")
    if two.machine != one.machine:
        words.append(f"on {two.machine}")
    if two.batch != one.batch:
        words.append(f"batches of {two.batch}")
    if two.variant != one.variant:
        words.append(f"variant {two.variant}")
    if two.site != one.site:
        words.append(f"at {two.site}")
    return f"`{two.part}` with {', '.join(words)}" if words else f"`{two.part}`"


def _seconds(value: float) -> str:
    return "for ever" if value == float("inf") else duration_text(value)
