"""Sensitivity: the same plan under other circumstances: more load, other prices, a replica lost."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from parti.errors import PlanError
from parti.optimise.found import Point
from parti.optimise.measuring import measured
from parti.optimise.problem import Choice, Option, Part, Plan, Problem, Promise, Stage
from parti.optimise.simulation import Simulation


def carried(plan: Plan, problem: Problem, changed: Mapping[str, Hashable] | None = None) -> Plan:
    """The plan with the options of another problem that have the same labels, so at that problem's prices.

    `changed` gives other labels by part: one replica less, say. Raises P812 where the problem has no such option.
    """
    labels = [option.label for choice in plan.choices for option in choice]
    parts = list(problem.parts())
    if len(parts) != len(labels):
        raise PlanError(
            "P812", f"a plan of {len(labels)} parts does not fit a problem of {len(parts)}", fix="plan anew"
        )
    wanted = dict(zip((part.name for part in parts), labels, strict=True)) | dict(changed or {})
    return Plan(tuple(_choice(stage, wanted) for stage in problem.stages))


def _choice(stage: Stage, wanted: Mapping[str, Hashable]) -> Choice:
    return tuple(_option(part, wanted[part.name]) for part in stage.parts)


def _option(part: Part, label: Hashable) -> Option:
    for option in part.options:
        if option.label == label:
            return option
    raise PlanError("P812", f"`{part.name}` has no option {label}", fix="add it to the options, or plan anew")


def under(
    problem: Problem, simulation: Simulation, plan: Plan, promise: Promise, *, seeds: Sequence[int]
) -> tuple[Point, ...]:
    """The plan in one run for each seed: what it costs, how late it is. With the seeds of another case, runs compare in pairs."""
    return tuple(measured(problem, simulation, plan, promise, seed=seed)[0] for seed in seeds)
