"""Checking: what a plan does in fresh runs, and what one more run will stay below."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from parti.optimise.found import Point
from parti.optimise.measuring import measured
from parti.optimise.problem import Plan, Problem, Promise
from parti.optimise.simulation import Simulation
from parti.student import t_quantile

RUNS_MIN: Final = 5
RUNS_ENOUGH: Final = 20


@dataclass(frozen=True, slots=True)
class Check:
    """A plan in fresh runs: of each its seed, the share of late requests, and the seconds at the promised level.

    `late_high` and `seconds_high` are what one more run stays below with the probability that was asked for: upper ends of
    Student's t *prediction* intervals over the runs. (The mean of all runs is known better, but it is single runs that break
    promises: at a mean just within the promise nearly half of them do.) Counts are compared as ``sqrt(late + 3/8)``, which
    makes them spread evenly (Anscombe 1948), seconds as logarithms.
    """

    plan: Plan
    seeds: tuple[int, ...]
    late: tuple[float, ...]
    seconds: tuple[float, ...]
    late_high: float
    seconds_high: float
    broken: int
    """How many of the runs broke the promise."""
    kept: bool
    """Whether none did, and one more would not, at the upper end."""


def check(
    problem: Problem,
    simulation: Simulation,
    plan: Plan,
    promise: Promise,
    *,
    seeds: Sequence[int],
    broken_most: float = 0.01,
    in_time: Callable[[], bool] = lambda: True,
) -> Check:
    """Try a plan on at least five fresh seeds. One that breaks the promise in a run is known not to keep it: runs after the
    fifth are left out then, or after the twentieth if one more run is likely to break it. They are left out, too, when there
    is no time for them: fewer runs say as much, with wider intervals.
    """
    tried: list[tuple[Point, int]] = []
    for number, seed in enumerate(seeds, 1):
        tried.append(measured(problem, simulation, plan, promise, seed=seed))
        if number >= RUNS_MIN and any(point.seconds > promise.seconds for point, _ in tried):
            break
        if number == RUNS_ENOUGH and not _summed(plan, promise, seeds, tried, broken_most).kept:
            break
        if number >= RUNS_MIN and not in_time():
            return _summed(plan, promise, seeds, tried, broken_most)
    made = _summed(plan, promise, seeds, tried, broken_most)
    return made if len(tried) == len(seeds) else replace(made, kept=False)


def _summed(
    plan: Plan, promise: Promise, seeds: Sequence[int], tried: Sequence[tuple[Point, int]], broken_most: float
) -> Check:
    points, requests = [point for point, _ in tried], min(number for _, number in tried)
    roots = [math.sqrt(point.late + 0.375) for point in points]
    logarithms = [math.log(point.seconds) if point.seconds > 0 else -math.inf for point in points]
    late_high = max(0.0, _high(roots, broken_most) ** 2 - 0.375)
    broken = sum(point.seconds > promise.seconds for point in points)
    return Check(
        plan,
        tuple(seeds[: len(points)]),
        tuple(point.late / number for point, number in tried),
        tuple(point.seconds for point in points),
        late_high / requests,
        math.exp(_high(logarithms, broken_most)),
        broken,
        not broken and late_high <= promise.late_allowed(requests),
    )


def _high(values: Sequence[float], broken_most: float) -> float:
    """What one further value stays below with probability ``1 - broken_most``, if they are normal."""
    mean = statistics.fmean(values)
    if not math.isfinite(mean):
        return max(values)
    factor = t_quantile(1 - broken_most, len(values) - 1) * math.sqrt(1 + 1 / len(values))
    return mean + factor * statistics.stdev(values)
