"""Measuring: one plan in one run of the simulation, outside any search."""

from __future__ import annotations

from typing import Any

from parti.optimise.found import Point
from parti.optimise.oracle import quantile
from parti.optimise.problem import Plan, Problem, Promise
from parti.optimise.simulation import Simulation


def measured(problem: Problem, simulation: Simulation, plan: Plan, promise: Promise, *, seed: int) -> tuple[Point, int]:
    """The plan as simulated under a seed, and how many requests counted.

    The problem and the simulation may be others than those the plan was found with, as long as they know its options: more load,
    other prices, a replica less. That is how sensitivity is asked for.
    """
    state: Any = simulation.begin(seed)
    for choice in plan.choices:
        state = simulation.extend(state, choice)
    latencies = simulation.finish(state)
    late = int((latencies > promise.seconds).sum())
    point = Point(plan, plan.cost, problem.quality_of(plan), quantile(latencies, promise.level), late)
    return point, len(latencies)
