"""The planner: the cheapest plan that keeps the promises, verified, and the questions that one asks about it, answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from parti.optimise.found import Limits
from parti.optimise.front import Sweep, prices, sweep
from parti.optimise.measuring import measured
from parti.optimise.problem import Option, Plan
from parti.optimise.verifying import Care, Verified, verify
from parti.planning.asked import HOURS, Asked
from parti.planning.deployment import Deployed, Deployment
from parti.planning.planned import Change, FrontPoint, Planned, PlannedPart, Verification
from parti.planning.predicting import REPLICATIONS, Prediction, predict
from parti.planning.stations import WORKS
from parti.units import duration_text

AGAIN: Final = 0.1
"""Searches for other promises take this share of the time of the first one."""

Say = Callable[[str], None]


def plan(
    asked: Asked, *, clock: Callable[[], float], limits: Limits, care: Care | None = None, say: Say = print
) -> Planned:
    """The plan. Raises P811 where none keeps the promises, and P830 to P833 for what cannot be planned."""
    say("getting ready")
    asked.staged.warm(asked.problem)
    say("searching")
    found = verify(
        asked.problem, asked.staged, asked.promise, seed=asked.seed, clock=clock, limits=limits, care=care or Care()
    )
    return _Telling(asked, found, clock, limits, say).told()


class _Telling:
    """A verified plan, and what is to be said of it."""

    def __init__(self, asked: Asked, verified: Verified, clock: Callable[[], float], limits: Limits, say: Say) -> None:
        self.asked, self.verified, self.clock, self.say = asked, verified, clock, say
        self.limits = Limits(limits.seconds * AGAIN, limits.extensions, limits.memory)
        self.problem = asked.problem
        self.options = verified.plan.options(self.problem)
        self.deployed = deployed_of(self.options.values())
        self.seeds = range(asked.seed + 10_001, asked.seed + 10_001 + REPLICATIONS)
        self.p99 = self._p99(verified.plan)

    def told(self) -> Planned:
        """All of it."""
        asked, verified = self.asked, self.verified
        self.say("predicting")
        prediction = predict(asked.model, self.deployed, self.seeds)
        self.say("asking what else could be")
        parts = tuple(self._parts())
        check, found = verified.check, verified.found
        swept = sweep(
            self.problem, asked.staged, found, clock=self.clock, limits=self.limits, qualities=self._qualities()
        )
        return Planned(
            parts,
            verified.plan.cost,
            self.problem.quality_of(verified.plan),
            prediction,
            found.proof,
            found.relaxed,
            self.problem.plans,
            Verification(len(check.seeds), check.broken, check.seconds_high, len(verified.rounds), verified.safety),
            tuple(self._front(swept)),
            _bottleneck(prediction),
            self._next_step(),
            tuple(self._relaxing(swept)),
            tuple(self._sensitivity(prediction)),
            tuple(self._notes(prediction)),
        )

    def _qualities(self) -> tuple[float, ...]:
        """Qualities to look at besides the promised one: those that single variants would make of the plan."""
        found = {
            self._quality_with(name, option)
            for name in self.options
            for option in self._menu(name)
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
        cheaper = [one for one in self._menu(part) if one.cost < option.cost]
        if not option.label.machine:
            return "only waits, so it runs inside its caller" if not option.cost else "is paid by the call"
        if not cheaper:
            hands = self.asked.space.with_hands(part) > 1
            return "fewer would have too few hands for its runs" if hands else "nothing cheaper can serve this load"
        other = max(cheaper, key=lambda one: (one.cost, one.quality))
        at = self._p99(self._with(part, other))
        saved = f"${(option.cost - other.cost) * HOURS:.0f} a month less"
        if other.quality < option.quality and self._quality_with(part, other) < self.asked.promise.quality_least:
            return f"{_difference(option, other)} for {saved} falls short of the promised quality"
        if at > self.asked.promise.seconds:
            return f"{_difference(option, other)} for {saved} has a p99 of {_seconds(at)}"
        return f"{_difference(option, other)} for {saved} keeps p99 at {_seconds(at)} here, but not in every fresh run"

    def _menu(self, part: str) -> tuple[Option, ...]:
        return next(one.options for one in self.problem.parts() if one.name == part)

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

    def _next_step(self) -> Change | None:
        """The change of one part that makes p99 smaller by most for its price."""
        best: tuple[float, Change] | None = None
        for name, option in self.options.items():
            dearer = [one for one in self._menu(name) if one.cost > option.cost and one.quality >= option.quality]
            for other in sorted(dearer, key=lambda one: one.cost)[:2]:
                p99 = self._p99(self._with(name, other))
                more = other.cost - option.cost
                gain = (self.p99 - p99) / more
                if p99 < self.p99 and (best is None or gain > best[0]):
                    change = Change(_difference(option, other), self.verified.plan.cost + more, p99, True)
                    best = gain, change
        return best[1] if best else None

    def _relaxing(self, swept: Sweep) -> Iterator[Change]:
        """What each promise costs, by what less of it would."""
        promise = self.asked.promise
        for price in prices(self.problem, self.asked.staged, swept, clock=self.clock, limits=self.limits):
            if price.promise == "seconds":
                what = f"promise {duration_text(price.after)} instead of {duration_text(price.before)}"
            elif price.promise == "quality":
                what = f"promise a quality of {price.after:.3g} instead of {price.before:.3g}"
            else:
                what = f"spend {price.after / price.before - 1:.0%} more"
            yield Change(what, price.best.cost, price.best.seconds, price.best.quality >= promise.quality_least)

    def _sensitivity(self, now: Prediction) -> Iterator[Change]:
        cost, most = self.verified.plan.cost, self.asked.promise.seconds
        more = self.asked.scaled(1.5)
        p99 = predict(more.model, self.deployed, self.seeds).p99
        yield Change("1.5 times the load", cost, p99.mean, p99.high <= most)
        for part in sorted(now.parts, key=lambda one: -one.use.mean):
            deployment = self.deployed.of(part.part)
            if deployment.machine and deployment.replicas > 1:
                fewer = Deployed(
                    tuple(
                        one._replace(replicas=one.replicas - 1) if one.part == part.part else one
                        for one in self.deployed.parts
                    )
                )
                lost = predict(self.asked.model, fewer, self.seeds).p99
                yield Change(f"`{part.part}` loses a replica", cost, lost.mean, lost.high <= most)
                break
        yield Change("machines cost a fifth more", cost * 1.2, now.p99.mean, cost * 1.2 <= self.asked.promise.cost_most)

    def _front(self, swept: Sweep) -> Iterator[FrontPoint]:
        for point in swept.front:
            yield FrontPoint(
                point.cost, point.seconds, point.quality, deployed_of(point.plan.options(self.problem).values())
            )

    def _notes(self, prediction: Prediction) -> Iterator[str]:
        asked = self.asked
        contention = asked.profile.contention
        if contention is not None and contention.found:
            yield f"the profile was measured while {'; '.join(contention.why)}: measure again before you rely on this"
        if asked.profile.source == "traffic":
            yield "service times are those of traffic, which a busy machine makes longer: `parti profile` measures them"
        machines = {one.machine for one in self.deployed.parts if one.machine}
        unknown = sorted(name for name in machines if (m := asked.prices.machine(name)) is not None and m.speed is None)
        if unknown:
            yield f"nobody measured how fast {', '.join(unknown)} is: it is taken to be as fast as the measured machine"
        if prediction.p99.high > asked.promise.seconds:
            yield "with the hands that its runners have, p99 is longer than without: raise their concurrency="
        if prediction.done.low < asked.slo.availability:
            yield f"only {prediction.done.low:.4%} of requests end well, of {asked.slo.availability:.4%} that are promised"


def deployed_of(options: Iterable[Option]) -> Deployed:
    """Options as deployments, of the parts that have a choice."""
    found = (one.label for one in options)
    return Deployed(tuple(one for one in found if isinstance(one, Deployment) and (one.machine or one.variant)))


def _bottleneck(prediction: Prediction) -> str:
    """The part at which the requests around p99 spend most of their waiting; without any, the busiest."""
    if not prediction.parts:
        return ""
    worst = max(prediction.parts, key=lambda one: (one.waiting + one.batching, one.use.mean))
    return worst.part


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
