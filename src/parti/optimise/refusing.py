"""Refusing: when no plan keeps the promises, which promise it is, which part is in the way, and the best that can be had."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Final, Literal, NoReturn

from parti.errors import PlanError
from parti.optimise.delays import Candidate, Delays
from parti.optimise.found import Point, Proof
from parti.optimise.menus import Menu
from parti.optimise.oracle import RELAXED, LimitReached, Oracle, Prefix, quantile
from parti.optimise.problem import Choice, Plan, Problem, Promise, Stage
from parti.optimise.quality import keeps
from parti.units import duration_text

SPREAD: Final = 8
"""So many choices of a stage are tried to say what it reaches at best."""

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


def last_resort(oracle: Oracle, menus: Sequence[Menu], delays: Callable[[], Delays], *, proved: bool) -> Plan:
    """The quickest plan, for a search that ended before it found any. Raises NoPlan where even that one is too late.

    Requests come too late in one stage already, or in all together. It takes as long again as the search, at most.
    """
    oracle.allow_more()
    promise = oracle.promise
    wanted = f"p{100 * promise.level:g} of {duration_text(promise.seconds)}"
    try:
        _refuse_at_least(oracle, menus, wanted, proved)
        _refuse_without_capacity(oracle, menus, wanted)
        found = delays()
        alone = [min(_alone(oracle, stage, each.choice) for each in one) for stage, one in enumerate(found.stages)]
        if max(alone) > promise.seconds:
            _refuse_alone(_names(oracle.problem, alone.index(max(alone))), max(alone), wanted, proved)
        best = _fastest(oracle, found)
        if best.keeps(replace(promise, cost_most=math.inf)):
            return best.plan
        name = _names(oracle.problem, _slowest(oracle, best.plan.choices))
    except LimitReached:
        _refuse_in_time(wanted)
    _refuse_together(name, best, wanted, proved)


def _refuse_in_time(wanted: str) -> NoReturn:
    what = f"no plan was found in time that has a {wanted}, and no time was left to say why"
    _raise("seconds", "", what, fix="search for longer, or simulate fewer requests", proved=False)


def _refuse_together(name: str, best: Point, wanted: str, proved: bool) -> NoReturn:
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


def _refuse_at_least(oracle: Oracle, menus: Sequence[Menu], wanted: str, proved: bool) -> None:
    """Raise NoPlan where requests take too long even if nobody ever waits."""
    everything = (RELAXED,) * len(oracle.problem.stages)
    least = quantile(oracle.latencies(everything), oracle.promise.level)
    if least <= oracle.promise.seconds:
        return
    name = _names(oracle.problem, _slowest(oracle, everything))
    proved = proved or not all(all(menu.parts) for menu in menus)
    what = f"{_said(proved)} a {wanted}: even where nobody waits anywhere it is {duration_text(least)}, most of it in `{name}`"
    _raise("seconds", name, what, fix=f"promise more time, or make `{name}` quicker", proved=proved)


def _refuse_without_capacity(oracle: Oracle, menus: Sequence[Menu], wanted: str) -> None:
    """Raise NoPlan where no option of a part does its work in time, whatever the others do; with the best it reaches alone."""
    for stage, menu in enumerate(menus):
        for number, options in enumerate(menu.parts):
            if not options:
                name = oracle.problem.stages[stage].parts[number].name
                alone = min(_alone(oracle, stage, choice) for choice in _spread(oracle.problem.stages[stage]))
                if alone > oracle.promise.seconds:
                    _refuse_alone(name, alone, wanted, True)
                what = f"no plan has a {wanted}: no option of `{name}` has the capacity for the load"
                _raise("seconds", name, what, fix=f"give `{name}` faster machines or more replicas")


def _spread(stage: Stage) -> list[Choice]:
    """Choices of a stage from all over its parts' options, the dearest among them."""
    parts = [sorted(part.options, key=lambda option: option.cost) for part in stage.parts]
    return [tuple(options[-1 - (len(options) - 1) * at // SPREAD] for options in parts) for at in range(SPREAD + 1)]


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


def _alone(oracle: Oracle, stage: int, choice: Choice) -> float:
    """The latency at the promised level with all other stages relaxed, in seconds."""
    return quantile(oracle.latencies((*[RELAXED] * stage, choice)), oracle.promise.level)


def _fastest(oracle: Oracle, delays: Delays) -> Point:
    """The best latency that candidates with enough quality reach, by descent over the stages for as long as there is time."""
    ranked = [sorted(stage, key=lambda each: (each.mean, each.cost)) for stage in delays.stages]
    best = oracle.point(Plan(tuple(candidate.choice for candidate in _good(oracle, ranked))))
    with suppress(LimitReached):
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


def _slowest(oracle: Oracle, prefix: Prefix) -> int:
    """The stage that adds most to the requests around the promised level."""
    levels = [oracle.taken(prefix[:done]) for done in range(len(prefix) + 1)]
    added = [after - before if math.isfinite(before) else 0.0 for before, after in pairwise(levels)]
    return max(range(len(added)), key=lambda stage: added[stage])
