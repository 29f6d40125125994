"""Fronts, prices of promises, and the same plan under other circumstances."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lindley import Ways, replicas, tandem

from parti.errors import PlanError
from parti.optimise.found import Limits, Point
from parti.optimise.front import front, prices, sweep
from parti.optimise.problem import Option, Plan, Promise
from parti.optimise.searching import search
from parti.optimise.sensitivity import carried, under

ENDLESS = Limits(math.inf)
FIGURES = st.tuples(*[st.integers(0, 4).map(float)] * 3)


def clock() -> float:
    return 0.0


def point(cost: float, seconds: float, quality: float, name: int = 0) -> Point:
    return Point(Plan(((Option(name, cost),),)), cost, quality, seconds, 0)


@settings(deadline=None)
@given(st.lists(FIGURES, max_size=12))
def test_a_front_holds_what_nothing_beats_and_covers_all_else(figures):
    points = [point(*each, number) for number, each in enumerate(figures)]
    kept = front(points)
    for each in points:
        better = [p for p in kept if p.cost <= each.cost and p.seconds <= each.seconds and p.quality >= each.quality]
        assert better
        if each in kept:
            assert better == [each]


def test_plans_that_lose_requests_are_not_on_the_front():
    assert front([point(1, math.inf, 1.0)]) == ()


def variants(cost: float) -> list[Option]:
    return [
        Option(Ways(count, speed), cost * count, quality)
        for count in range(1, 7)
        for speed, quality in ((1.0, 0.95), (2.0, 0.85))
    ]


@pytest.fixture(scope="module")
def planned():
    simulation = tandem({"ocr": variants(1.0), "llm": variants(2.5)}, rate=1.8, requests=800)
    promise = Promise(5.0, 0.95, 0.8)
    found = search(simulation.problem, simulation, promise, seed=4, clock=clock, limits=ENDLESS)
    swept = sweep(simulation.problem, simulation, found, clock=clock, limits=ENDLESS, qualities=(0.7, 0.9))
    return simulation, found, swept


def test_a_sweep_shows_what_other_promises_would_cost(planned):
    _, found, swept = planned
    costs = {(each.promise.seconds, each.promise.quality_least): each.best.cost for each in swept.found}
    assert costs[2.5, 0.8] > found.best.cost > costs[12.5, 0.8]
    assert costs[5.0, 0.9] > found.best.cost >= costs[5.0, 0.7]
    assert len(swept.front) >= 4
    assert {each.quality for each in swept.front} > {found.best.quality}


def test_each_promise_has_its_price(planned):
    simulation, found, swept = planned
    seconds, quality, budget = prices(simulation.problem, simulation, swept, clock=clock, limits=ENDLESS)
    assert (seconds.promise, seconds.after) == ("seconds", pytest.approx(5.5))
    looser = replace(found.promise, seconds=5.5)
    again = search(simulation.problem, simulation, looser, seed=4, clock=clock, limits=ENDLESS)
    assert seconds.saves == pytest.approx(found.best.cost - again.best.cost) and seconds.saves >= 0
    assert (quality.promise, quality.after) == ("quality", pytest.approx(0.79)) and quality.saves >= 0
    assert budget.promise == "budget" and budget.best.cost <= 1.1 * found.best.cost
    assert budget.best.seconds <= found.best.seconds and budget.best.quality >= 0.8


def test_the_same_plan_under_more_load_at_other_prices_and_with_a_replica_less():
    simulation = tandem({"ocr": replicas(6), "llm": replicas(6)}, rate=0.9, requests=800)
    promise = Promise(5.0, 0.95)
    plan = search(simulation.problem, simulation, promise, seed=4, clock=clock, limits=ENDLESS).plan
    busier = replace(simulation, rate=1.35)
    dearer = tandem({"ocr": replicas(6, cost=2.0), "llm": replicas(6)}, rate=0.9, requests=800)
    ocr = plan.options(simulation.problem)["ocr"].label
    fewer = carried(plan, simulation.problem, {"ocr": Ways(ocr.replicas - 1)})
    seeds = (5, 6, 7)
    now = under(simulation.problem, simulation, plan, promise, seeds=seeds)
    for case in (
        under(simulation.problem, busier, plan, promise, seeds=seeds),
        under(simulation.problem, simulation, fewer, promise, seeds=seeds),
    ):
        assert all(worse.seconds > before.seconds for worse, before in zip(case, now, strict=True))
    moved = under(dearer.problem, dearer, carried(plan, dearer.problem), promise, seeds=seeds)
    assert [each.seconds for each in moved] == [each.seconds for each in now]
    assert moved[0].cost == now[0].cost + ocr.replicas


def test_a_plan_that_does_not_fit_another_problem_is_refused():
    simulation = tandem({"ocr": replicas(2)})
    plan = Plan(((Option(Ways(9), 9.0),),))
    with pytest.raises(PlanError, match="`ocr` has no option"):
        carried(plan, simulation.problem)
    with pytest.raises(PlanError, match="does not fit a problem of 2"):
        carried(plan, tandem({"ocr": replicas(2), "llm": replicas(2)}).problem)
