"""Overload: the parts that get more than they can serve in the long run, whatever a sample of the load shows."""

from __future__ import annotations

from dataclasses import replace

from parti.errors import PlanError
from parti.optimise.problem import Option, Part, Problem, Stage
from parti.planning.asked import Asked
from parti.planning.deployment import Deployed, Deployment
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
    """The problem without deployments that cannot serve the mean load. Raises P836 for a part that has no other."""
    return replace(
        asked.problem,
        stages=tuple(Stage(tuple(_steady(asked, part) for part in stage.parts)) for stage in asked.problem.stages),
    )


def _steady(asked: Asked, part: Part) -> Part:
    kept = tuple(option for option in part.options if _serves(asked, part.name, option))
    if kept:
        return replace(part, options=kept)
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
