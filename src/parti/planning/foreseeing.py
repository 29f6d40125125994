"""Foreseeing: what a plan does when its replicas are there, how often they are, and which promises that breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from parti.planning.asked import Asked
from parti.planning.deployment import Deployed
from parti.planning.overload import available, overloaded
from parti.planning.predicting import REPLICATIONS, Prediction, predict
from parti.sim.replications import Interval


def fresh_seeds(seed: int) -> range:
    """The seeds of the replications that predict a plan: none of them is of a sample that it was searched or verified on."""
    return range(seed + 10_001, seed + 10_001 + REPLICATIONS)


def foresee(asked: Asked, deployed: Deployed, seeds: Sequence[int]) -> Prediction:
    """The prediction of a plan over one replication for each of the seeds (at least two), less what is lost while machines are down."""
    return less_the_lost(asked, deployed, predict(asked.model, deployed, seeds))


def less_the_lost(asked: Asked, deployed: Deployed, found: Prediction) -> Prediction:
    """A prediction in which requests of the time in which too few replicas serve do not end well."""
    share = prod(available(asked, one) for one in deployed.parts) if deployed.together is None else 1.0
    return replace(found, done=_scaled(found.done, share), throughput=_scaled(found.throughput, share), there=share)


def _scaled(one: Interval, share: float) -> Interval:
    return replace(one, mean=one.mean * share, low=one.low * share, high=one.high * share)


def broken(asked: Asked, deployed: Deployed, found: Prediction, *, cost: float, quality: float) -> tuple[str, ...]:
    """The promises that a plan of that cost (USD per hour) and quality does not keep, in words: at the worse ends of the intervals."""
    promise = asked.promise
    crowded = found.unstable if deployed.together else (*overloaded(asked, deployed), *found.unstable)
    said = [f"`{part}` gets more than it can serve" for part in dict.fromkeys(crowded)]
    if found.p99.high > asked.slo.p99:
        said.append("p99 is longer than promised")
    if found.done.low < asked.slo.availability:
        said.append("fewer requests end well than promised")
    if quality < promise.quality_least - 1e-9:
        said.append("the quality is less than promised")
    if cost > promise.cost_most:
        said.append("it costs more than promised")
    return tuple(said)


def quality_of(asked: Asked, deployed: Deployed) -> float:
    """How good a plan is: parts without a quality count as perfect."""
    rule = asked.problem.quality
    known = {part: asked.qualities[part].get(deployed.of(part).variant, 1.0) for part in asked.qualities}
    return rule.of(rule.term(part, quality) for part, quality in known.items())
