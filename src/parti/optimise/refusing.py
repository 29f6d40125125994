"""Refusing: when no plan keeps the promises, which promise it is, which part is in the way, and the best that can be had."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal, NoReturn

from parti.errors import PlanError
from parti.optimise.delays import Candidate, Delays
from parti.optimise.found import Point, Proof
from parti.optimise.menus import Menu
from parti.optimise.oracle import RELAXED, Oracle, Prefix, quantile
from parti.optimise.problem import Plan, Problem, Promise
from parti.optimise.quality import keeps
from parti.units import duration_text

Broken = Literal["seconds", "quality", "budget"]


class NoPlan(PlanError):
    """No plan keeps the promises (P811). `broken` says which one, `part` names the part most in its way.

    `best` is the best plan for that promise, with what it reaches, where one was simulated. `proved` is False when the
    search ended at its limit, so that a plan may exist that was not found.
    """

    broken: Broken = "seconds"
    part: str = ""
    best: Point | None = None
    proved: bool = True


def refuse_quality(problem: Problem, promise: Promise) -> None:
    """Raise NoPlan when even the best options are not good enough."""
    best = {part.name: max(option.quality for option in part.options) for part in problem.parts()}
    whole = problem.quality.of(problem.quality.term(name, quality) for name, quality in best.items())
    if keeps(whole, promise.quality_least):
        return
    counted = [name for name in best if problem.quality.rule != "mean" or problem.quality.weights.get(name, 0) > 0]
    weakest = min(counted, key=lambda name: best[name])
    _raise(
        "quality",
        weakest,
        f"no plan has a quality of {promise.quality_least:g}: the best options everywhere reach {whole:.4g}, and the weakest "
        f"part is `{weakest}` with {best[weakest]:.4g}",
        fix=f"promise at most {whole:.4g}, or give `{weakest}` a better variant",
    )


def refuse_budget(problem: Problem, promise: Promise, best: Point, proof: Proof) -> NoReturn:
    """Raise NoPlan because the cheapest plan that keeps the other promises costs more than the budget."""
    proved = proof.lower > promise.cost_most
    options = best.plan.options(problem)
    dearest = max(options, key=lambda name: options[name].cost)
    least = f"none costs less than {proof.lower:.4g}" if proved else "a cheaper one was not found in time"
    _raise(
        "budget",
        dearest,
        f"no plan keeps its promises for {promise.cost_most:g} USD per hour: the cheapest costs {best.cost:.4g} ({least}), and most "
        f"of it goes to `{dearest}` ({options[dearest].cost:.4g})",
        fix=f"allow {best.cost:.4g} USD per hour, or promise less",
        best=best,
        proved=proved,
    )


def last_resort(oracle: Oracle, menus: Sequence[Menu], delays: Delays, *, proved: bool) -> Plan:
    """The quickest plan, for a search that ended before it found any. Raises NoPlan where even that one is too late.

    Requests come too late in one stage already, or in all together.
    """
    oracle.allow_more()
    promise = oracle.promise
    wanted = f"p{100 * promise.level:g} of {duration_text(promise.seconds)}"
    _refuse_without_capacity(oracle.problem, menus, wanted)
    alone = [min(_alone(oracle, stage, each) for each in found) for stage, found in enumerate(delays.stages)]
    if max(alone) > promise.seconds:
        _refuse_alone(_names(oracle.problem, alone.index(max(alone))), max(alone), wanted, proved)
    best = _fastest(oracle, delays)
    if best.keeps(replace(promise, cost_most=math.inf)):
        return best.plan
    name = _names(oracle.problem, _slowest(oracle, best.plan))
    reached = (
        "not all requests end well" if math.isinf(best.seconds) else f"the best reached {duration_text(best.seconds)}"
    )
    _raise(
        "seconds",
        name,
        f"{_said(proved)} a {wanted}: {reached}, and the largest share of it is spent in `{name}`",
        fix=f"promise more time, or give `{name}` faster machines or more replicas",
        best=best,
        proved=proved,
    )


def _refuse_without_capacity(problem: Problem, menus: Sequence[Menu], wanted: str) -> None:
    for stage, menu in zip(problem.stages, menus, strict=True):
        for part, options in zip(stage.parts, menu.parts, strict=True):
            if not options:
                what = f"no plan has a {wanted}: no option of `{part.name}` has the capacity for the load"
                _raise("seconds", part.name, what, fix=f"give `{part.name}` faster machines or more replicas")


def _refuse_alone(name: str, seconds: float, wanted: str, proved: bool) -> NoReturn:
    least = "never ends well" if math.isinf(seconds) else f"has one of {duration_text(seconds)}"
    _raise(
        "seconds",
        name,
        f"{_said(proved)} a {wanted}: even where nobody waits elsewhere, `{name}` at its best {least}",
        fix=f"give `{name}` faster machines or more replicas, or promise more time",
        proved=proved,
    )


def _said(proved: bool) -> str:
    return "no plan has" if proved else "no plan was found in time that has"


def _raise(
    broken: Broken, part: str, what: str, *, fix: str, best: Point | None = None, proved: bool = True
) -> NoReturn:
    error = NoPlan("P811", what, fix=fix)
    error.broken, error.part, error.best, error.proved = broken, part, best, proved
    raise error


def _names(problem: Problem, stage: int) -> str:
    return "`, `".join(part.name for part in problem.stages[stage].parts)


def _alone(oracle: Oracle, stage: int, candidate: Candidate) -> float:
    """The latency at the promised level with all other stages relaxed, in seconds."""
    return quantile(oracle.latencies((*[RELAXED] * stage, candidate.choice)), oracle.promise.level)


def _fastest(oracle: Oracle, delays: Delays) -> Point:
    """The best latency that candidates with enough quality reach, by descent over the stages."""
    ranked = [sorted(stage, key=lambda each: (each.mean, each.cost)) for stage in delays.stages]
    best = oracle.point(Plan(tuple(candidate.choice for candidate in _good(oracle, ranked))))
    for stage, candidates in enumerate(ranked):
        for candidate in candidates[:4]:
            choices = (*best.plan.choices[:stage], candidate.choice, *best.plan.choices[stage + 1 :])
            point = oracle.point(Plan(choices))
            if point.seconds < best.seconds and keeps(point.quality, oracle.promise.quality_least):
                best = point
    return best


def _good(oracle: Oracle, ranked: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """The fastest candidate of each stage, and where the quality is not enough the best instead, stage by stage."""
    quality, at = oracle.problem.quality, [stage[0] for stage in ranked]
    for stage, candidates in enumerate(ranked):
        if keeps(quality.of(candidate.term for candidate in at), oracle.promise.quality_least):
            break
        at[stage] = max(candidates, key=lambda each: each.term)
    return at


def _slowest(oracle: Oracle, plan: Plan) -> int:
    """The stage that adds most to the requests around the promised level."""
    prefixes: Iterable[Prefix] = (plan.choices[:done] for done in range(len(plan.choices) + 1))
    levels = [quantile(oracle.latencies(prefix), oracle.promise.level) for prefix in prefixes]
    added = [after - before if math.isfinite(before) else 0.0 for before, after in pairwise(levels)]
    return max(range(len(added)), key=lambda stage: added[stage])
