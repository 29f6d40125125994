"""Overload: the parts that get more than they can serve in the long run, whatever a sample shows; and how often machines leave them so."""

from __future__ import annotations

from dataclasses import replace

from parti.errors import PlanError
from parti.optimise.problem import Option, Part, Problem, Stage
from parti.planning.asked import Asked
from parti.planning.deployment import Deployed, Deployment
from parti.planning.lasting import failures_on, least_serving, there
from parti.planning.space import capacity
from parti.planning.stations import part_of
from parti.sim.network import EVERYONE


def overloaded(asked: Asked, deployed: Deployed) -> tuple[str, ...]:
    """The parts of a plan that cannot serve the mean load: too slow, or a runner with too few hands for its runs."""
    network = asked.model.network(deployed, limits=False)
    slow = [
        part_of(station.name)
        for station in network.stations
        if station.servers < EVERYONE and asked.rates.get(station.name, 0.0) >= capacity(station)
    ]
    handless = [runner for runner in asked.held if _short_of_hands(asked, deployed.of(runner))]
    return tuple(dict.fromkeys([*filter(None, slow), *handless]))


def steady(asked: Asked) -> Problem:
    """The problem without deployments that cannot serve the mean load, or are not there often enough.

    Of what the promised availability leaves, each part whose machines may fail gets an equal share. Raises P836 for a part of
    which no deployment serves the load, P837 for one of which none is there for its share of the time.
    """
    problem, share = asked.problem, share_of_each(asked)
    stages = (Stage(tuple(_steady(asked, part, share) for part in stage.parts)) for stage in problem.stages)
    return replace(problem, stages=tuple(stages))


def share_of_each(asked: Asked) -> float:
    """For which share of the time enough replicas of each part whose machines may fail must be up (0 to 1)."""
    fail = sum(any(_up(asked, option) < 1.0 for option in part.options) for part in asked.problem.parts())
    return float(asked.slo.availability ** (1.0 / max(1, fail)))


def available(asked: Asked, deployment: Deployment) -> float:
    """For which share of the time as many replicas of a part are up as its load needs; 1 where nobody said that machines fail."""
    failures = failures_on(asked.prices, deployment.machine, asked.failures)
    if failures is None:
        return 1.0

    def serves(replicas: int) -> bool:
        return _serves(asked, deployment.part, Option(deployment._replace(replicas=replicas), 0.0))

    return there(deployment.replicas, least_serving(deployment.replicas, serves), failures.up)


def _up(asked: Asked, option: Option) -> float:
    """For which share of the time a replica of an option serves."""
    one = option.label
    failures = failures_on(asked.prices, one.machine, asked.failures) if isinstance(one, Deployment) else None
    return 1.0 if failures is None else failures.up


def _lasts(asked: Asked, option: Option, share: float) -> bool:
    return _there(asked, option) >= share


def _there(asked: Asked, option: Option) -> float:
    return available(asked, option.label) if isinstance(option.label, Deployment) else 1.0


def _steady(asked: Asked, part: Part, share: float) -> Part:
    serving = tuple(option for option in part.options if _serves(asked, part.name, option))
    kept = tuple(option for option in serving if _lasts(asked, option, share))
    if kept:
        return replace(part, options=kept)
    if serving:
        best = max(_there(asked, option) for option in serving)
        what = f"no deployment of `{part_of(part.name)}` that may be chosen is there for {share:.3%} of the time"
        fix = f"the best is there for {best:.3%}: promise less availability, or allow more replicas with System.choices"
        raise PlanError("P837", what, fix=fix)
    most = max(part.options, key=lambda option: option.cost).label
    rate = asked.rates.get(part.name, 0.0)
    what = f"no deployment of `{part_of(part.name)}` that may be chosen serves {rate:.3g} calls a second"
    hands = isinstance(most, Deployment) and _short_of_hands(asked, most)
    fix = "raise its concurrency=, or allow more replicas" if hands else "allow more replicas, or faster machines"
    raise PlanError("P836", what, fix=f"{fix}; or plan for less load")


def _serves(asked: Asked, name: str, option: Option) -> bool:
    deployment = option.label
    if not isinstance(deployment, Deployment) or part_of(name) != deployment.part or not part_of(name):
        return True
    if _short_of_hands(asked, deployment):
        return False
    known = asked.profile.part(deployment.part)
    if known is None or not known.services:
        return True
    station = asked.stations.deployed(deployment)
    return station.servers >= EVERYONE or asked.rates.get(name, 0.0) < capacity(station)


def _short_of_hands(asked: Asked, deployment: Deployment) -> bool:
    """Whether the runs of a runner keep all of its hands at work, and more, in the mean."""
    runner = asked.design.by_name.get(deployment.part)
    hands = getattr(runner, "concurrency", None)
    if deployment.part not in asked.held or hands is None:
        return False
    at_work = asked.rates.get(deployment.part, 0.0) * asked.held[deployment.part]
    return bool(at_work >= hands * deployment.replicas)
