"""Searching: what it proves is what trying all plans finds."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lindley import Tandem, Ways, cheapest, tandem

from parti.optimise.found import Limits
from parti.optimise.oracle import EXPLAINING
from parti.optimise.problem import Option, Part, Problem, Promise, Stage
from parti.optimise.quality import Quality
from parti.optimise.refusing import NoPlan
from parti.optimise.searching import search

ENDLESS = Limits(seconds=math.inf, strict=True)


def frozen() -> float:
    """A clock that stands still."""
    return 0.0


def found_cost(simulation: Tandem, promise: Promise, seed: int) -> float:
    """The cost of the plan that the search proves; infinite where it says that there is none."""
    try:
        found = search(simulation.problem, simulation, promise, seed=seed, clock=frozen, limits=ENDLESS)
    except NoPlan as refused:
        assert refused.proved
        return math.inf
    assert found.proof.optimal and found.best.keeps(promise)
    assert found.proof.lower <= found.relaxed.lower <= found.best.cost
    return found.best.cost


@st.composite
def problems(draw) -> tuple[Tandem, Promise]:
    """Up to four parts in stages of one or two, with replicas, machines, variants, lost requests and twins, at any load."""
    names = [f"part{number}" for number in range(draw(st.integers(1, 4)))]
    parts = []
    for name in names:
        ways = draw(
            st.lists(
                st.builds(Ways, st.integers(1, 4), st.sampled_from([0.7, 1.0, 1.9]), st.sampled_from([0.0, 0.0, 0.02])),
                min_size=1,
                max_size=5 if len(names) < 4 else 3,
                unique=True,
            )
        )
        options = []
        for number, way in enumerate(ways):
            cost = draw(st.sampled_from([1.0, 1.5, 2.0, 3.7])) * way.replicas
            options.append(Option(way, cost, draw(st.sampled_from([0.8, 0.9, 1.0]))))
            del number
        parts.append(Part(name, tuple(options)))
    joined = draw(st.booleans()) and len(parts) > 1
    stages = (
        [Stage(tuple(parts[:2])), *[Stage((part,)) for part in parts[2:]]] if joined else [Stage((p,)) for p in parts]
    )
    rule = draw(st.sampled_from(["product", "minimum", "mean"]))
    quality = Quality(rule, dict.fromkeys(names, 1.0) if rule == "mean" else {})
    pooled = draw(st.booleans())
    rate = draw(st.sampled_from([0.3, 0.9, 1.5]))
    simulation = Tandem(Problem(tuple(stages), quality), dict.fromkeys(names, 1.0), 120, rate, pooled)
    promise = Promise(
        draw(st.sampled_from([2.0, 4.0, 8.0, 20.0])),
        draw(st.sampled_from([0.5, 0.9, 0.97])),
        draw(st.sampled_from([0.0, 0.6, 0.75, 0.9])),
        draw(st.sampled_from([math.inf, 12.0])),
    )
    return simulation, promise


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(0, 5))
def test_the_proved_plan_costs_what_the_best_of_all_plans_costs(problem, seed):
    simulation, promise = problem
    assert found_cost(simulation, promise, seed) == pytest.approx(cheapest(simulation, promise, seed))


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 5), st.integers(1, 60))
def test_a_search_that_ends_early_never_claims_too_much(problem, seed, extensions):
    """The lower bound is at most the true optimum, and the plan keeps its promise."""
    simulation, promise = problem
    try:
        found = search(
            simulation.problem, simulation, promise, seed=seed, clock=frozen, limits=Limits(math.inf, extensions)
        )
    except NoPlan as refused:
        assert not refused.proved or math.isinf(cheapest(simulation, promise, seed))
        return
    best = cheapest(simulation, promise, seed)
    assert found.proof.lower <= best * (1 + 1e-9)
    assert found.best.keeps(promise) and found.best.cost >= best * (1 - 1e-9)
    assert found.extensions <= extensions + EXPLAINING
    assert 0 <= found.proof.gap <= 1
    if simulation.monotone:
        assert found.relaxed.lower <= best * (1 + 1e-9)


def wide(parts: int = 5, **settings) -> tuple[Tandem, Promise]:
    """Parts with 24 options each: replicas of two machine types and two variants, of which one loses quality."""
    shape = {}
    for part in range(parts):
        ways = itertools.product(range(1, 7), (1.0, 1.7), (0.9, 1.0))
        shape[f"part{part}"] = [
            Option(Ways(count, speed * (1.5 - quality / 2)), count * (speed + quality) * (1 + part % 3), quality)
            if quality == 1.0
            else Option(Ways(count, speed * 1.2), count * (speed + 0.7) * (1 + part % 3), quality)
            for count, speed, quality in ways
        ]
    return tandem(shape, rate=1.1, requests=1000, **settings), Promise(16.0, 0.98, 0.8)


def test_eight_million_plans_are_proved_in_a_few_thousand_extensions():
    simulation, promise = wide()
    found = search(simulation.problem, simulation, promise, seed=3, clock=frozen, limits=ENDLESS)
    assert simulation.problem.plans == 24**5
    assert found.proof.optimal and found.relaxed.optimal
    assert found.extensions < 6000
    assert found.extensions == sum(simulation.counts.values()), "no stage is simulated twice while there is room"


def test_the_same_seed_gives_the_same_search():
    runs = []
    for _ in range(2):
        simulation, promise = wide()
        limits = Limits(math.inf, 700)
        runs.append(search(simulation.problem, simulation, promise, seed=3, clock=frozen, limits=limits))
    assert runs[0] == runs[1]
    assert runs[0].extensions == 700 or runs[0].relaxed.optimal


def test_little_memory_costs_time_and_not_the_answer():
    plenty, promise = wide(3)
    little, _ = wide(3)
    small = Limits(math.inf, memory=3 * 8 * 1000, strict=True)
    found = search(plenty.problem, plenty, promise, seed=2, clock=frozen, limits=ENDLESS)
    again = search(little.problem, little, promise, seed=2, clock=frozen, limits=small)
    assert (again.plan, again.proof) == (found.plan, found.proof)
    assert again.extensions > found.extensions


def test_a_clock_ends_the_search_with_a_plan_and_a_gap():
    """Each look at the clock takes 10 ms."""
    simulation, promise = wide(5, pooled=False)
    ticks = itertools.count()
    limits = Limits(seconds=4.0, strict=True)
    found = search(simulation.problem, simulation, promise, seed=3, clock=lambda: 0.01 * next(ticks), limits=limits)
    assert 0 < found.relaxed.gap < 0.3 or found.relaxed.optimal
    assert found.proof.gap > 0 and found.elapsed < 4.5
    assert found.best.keeps(promise)


def test_points_are_the_plans_that_were_simulated_cheapest_first():
    simulation, promise = wide(3)
    found = search(simulation.problem, simulation, promise, seed=2, clock=frozen, limits=ENDLESS)
    assert found.best in found.points
    assert [point.cost for point in found.points] == sorted(point.cost for point in found.points)
    state = simulation.begin(2)
    for choice in found.points[0].plan.choices:
        state = simulation.extend(state, choice)
    late = simulation.finish(state) > promise.seconds
    assert int(late.sum()) == found.points[0].late
