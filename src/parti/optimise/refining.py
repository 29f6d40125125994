"""Refining: where a part has too many options to list, first some of them, and then those around the best that was found."""

from __future__ import annotations

from dataclasses import replace

from parti.optimise.problem import Option, Part, Plan, Problem


def finer(problem: Problem, plan: Plan) -> Problem | None:
    """The problem around a plan: where options of a part were left out next to the plan's, those; None where none were."""
    chosen = plan.options(problem)
    found = {part.name: closer for part in problem.parts() if (closer := _closer(part, chosen[part.name])) is not None}
    stages = tuple(
        replace(stage, parts=tuple(found.get(part.name, part) for part in stage.parts)) for stage in problem.stages
    )
    return replace(problem, stages=stages) if found else None


def _closer(part: Part, option: Option) -> Part | None:
    return part.between(option) if part.between is not None else None


def rounding(problem: Problem, cost_most: float) -> float:
    """By what factor a plan gets dearer, at most, when options that were left out give way to the next ones that were not.

    Of plans that cost no more than `cost_most` (USD per hour). 1 where none was left out. If fewer replicas never help,
    no plan with such options keeps a promise for less than the cheapest without them costs, divided by this.
    """
    cheapest = {part.name: min(option.cost for option in part.options) for part in problem.parts()}
    others = cost_most - sum(cheapest.values())
    return max(
        option.rounded
        for part in problem.parts()
        for option in part.options
        if option.rounded == 1.0 or (option.cost_least or 0.0) <= cheapest[part.name] + others * (1 + 1e-9)
    )
