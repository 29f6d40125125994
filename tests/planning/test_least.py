"""The least that requests take: never more than in any plan, and enough to refuse what no plan can do in time."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_kit import a_desk, asked, its_profile, measured
from profile_kit import graph_of, profile

from parti import Batch, PartiError, Slo, System
from parti.optimise.found import Limits
from parti.optimise.problem import Option, Plan, Promise
from parti.optimise.searching import search
from parti.planning.asked import Asked
from parti.planning.least import fastest
from parti.planning.overload import steady
from parti.sim.distributions import Constant, Empirical
from parti.sim.load import GammaArrivals
from parti.sim.network import Batch as Batches

SHAPES = {
    "one after the other": [[("read",), ("score",)]] * 3 + [[("read",)]],
    "side by side": [[("read", "score")]] * 3 + [[("score",)]],
    "again and again": [[("read",), ("score",), ("score",)]] * 2 + [[("read",), ("read",), ("score",)]],
}


def a_scorer(shape: str, *, rate: float = 70.0, cv: float = 3.0, p99: str = "200ms") -> Asked:
    """An endpoint that reads (20 ms of CPU) and scores (15 ms, in batches of up to 4), in calls of some shape."""
    desk = System("desk", slo=Slo(p99=p99))

    @desk.step
    def read(text: str) -> int:
        return len(text)

    @desk.tool(effect="read", batch=Batch(4, linger="2ms"))
    def score(sizes: list[int]) -> list[float]:
        return [1.0 for _ in sizes]

    @desk.post("/ask")
    async def asking(text: str) -> str:
        return str(await score(await read(text)))

    known = profile(
        measured("asking", "endpoint", [0.001] * 20, cpu=36.0),
        measured("read", "step", [0.01, 0.02, 0.03] * 20, cpu=1.0),
        measured("score", "tool", [0.012, 0.015, 0.018] * 20, cpu=1.0, b4=[0.02, 0.024, 0.028] * 20),
        graphs=(graph_of("asking", SHAPES[shape]),),
    )
    return asked(desk, known, rate=rate, arrivals=GammaArrivals(rate, cv))


def states(question: Asked, choices: Any, seed: int = 1) -> list[Any]:
    """After each stage of a plan."""
    found = [question.staged.begin(seed)]
    for choice in choices:
        found.append(question.staged.extend(found[-1], choice))
    return found


@settings(max_examples=40, deadline=None, derandomize=True)
@given(shape=st.sampled_from(sorted(SHAPES)), data=st.data())
def test_no_prefix_has_reached_more_than_a_plan_with_it_takes(shape: str, data: st.DataObject) -> None:
    """Whatever the options: else plans that keep their promise would be cut."""
    question = a_scorer(shape)
    choices = [
        tuple(data.draw(st.sampled_from(part.options)) for part in stage.parts) for stage in question.problem.stages
    ]
    found = states(question, choices)
    reached = [question.staged.reached(state) for state in found[:-1]] + [question.staged.finish(found[-1])]
    for before, after in pairwise(reached):
        assert (before <= after + 1e-9).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(shape=st.sampled_from(sorted(SHAPES)), seconds=st.sampled_from([0.03, 0.06, 0.1, 0.2]), data=st.data())
def test_an_impossible_option_breaks_the_promise_in_every_plan(shape: str, seconds: float, data: st.DataObject) -> None:
    question, promise = a_scorer(shape, rate=150.0), Promise(seconds)
    stages = question.problem.stages
    best = {part.name: max(part.options, key=lambda one: one.cost) for stage in stages for part in stage.parts}
    part = data.draw(st.sampled_from([part for stage in stages for part in stage.parts]))
    option = data.draw(st.sampled_from(part.options))
    if question.staged.possible(1, part.name, option, promise):
        return
    chosen = best | {part.name: option}
    choices = [tuple(chosen[part.name] for part in stage.parts) for stage in stages]
    latencies = question.staged.finish(states(question, choices)[-1])
    assert (latencies > seconds).sum() > promise.late_allowed(len(latencies))


def test_few_replicas_of_a_busy_part_are_impossible_and_many_are_not() -> None:
    question, promise = a_scorer("one after the other", rate=150.0), Promise(0.1)
    (part,) = [part for stage in question.problem.stages for part in stage.parts if part.name == "read"]
    large = [one for one in part.options if one.label.machine == "own/large"]  # type: ignore[attr-defined]
    found = [question.staged.possible(1, "read", one, promise) for one in large]
    assert not found[0] and found[-1] and found == sorted(found)


def test_a_search_costs_as_much_as_the_cheapest_of_all_plans() -> None:
    """Tried one by one on the same sample, and none of them is cut by what requests take at least."""
    question = a_scorer("one after the other", rate=60.0, p99="150ms")
    problem = steady(question)
    found = search(
        problem, question.staged, question.promise, seed=1, clock=lambda: 0.0, limits=Limits(math.inf, strict=True)
    )
    assert found.proof.optimal
    plans: list[tuple[Option, ...]] = [()]
    for stage in problem.stages:
        plans = [(*plan, option) for plan in plans for part in stage.parts for option in part.options]
    plans = sorted(plans, key=lambda plan: sum(option.cost for option in plan))
    cheaper = [plan for plan in plans if sum(option.cost for option in plan) < found.best.cost - 1e-9]
    assert len(plans) > 2_000 and cheaper
    for plan in cheaper[-150:]:
        latencies = question.staged.finish(states(question, [(option,) for option in plan])[-1])
        assert np.quantile(latencies, 0.99, method="inverted_cdf") > question.promise.seconds
    assert found.best.plan == Plan(found.best.plan.choices)


def test_what_nothing_can_keep_is_refused_at_once_with_the_part_and_what_it_reaches() -> None:
    """No machine reads quicker than 5 to 15 ms: that is told after a handful of simulations."""
    desk, _ = a_desk(Slo(p99="12ms"))
    question = asked(desk, its_profile(), rate=40)
    said = (
        r"P811 no plan has a p99 of 12ms: even where nobody waits anywhere it is 7\d(\.\d+)?ms, most of it in `look_up`"
    )
    with pytest.raises(PartiError, match=said) as none:
        search(steady(question), question.staged, question.promise, seed=1, clock=lambda: 0.0, limits=Limits(math.inf))
    assert none.value.proved  # type: ignore[attr-defined]


def test_a_burst_that_no_number_of_replicas_that_may_be_chosen_serves_is_refused_with_what_is_reached() -> None:
    desk, read = a_desk(Slo(p99="200ms"))
    desk.choices(read, replicas=(4, 6), machines=["own/large"])
    question = asked(desk, its_profile(), rate=150, arrivals=GammaArrivals(150, 8))
    said = r"P811 no plan has a p99 of 200ms: even where nobody waits elsewhere, `read` at its best has one of \d"
    with pytest.raises(PartiError, match=said) as none:
        search(
            steady(question), question.staged, question.promise, seed=1, clock=lambda: 0.0, limits=Limits(math.inf, 40)
        )
    assert none.value.proved and none.value.part == "read"  # type: ignore[attr-defined]


def test_the_fastest_of_times_is_never_slower_draw_for_draw() -> None:
    one, other = Empirical((1.0, 2.0, 5.0)), Empirical((0.5, 3.0, 4.0))
    assert fastest([(one, None), (other, None)]) == Empirical((0.5, 2.0, 4.0))
    assert fastest([(one, None), (Empirical((0.9, 2.0)), None)]) == Constant(0.9)
    assert fastest([(one, None), (other, Batches(2, 0.0, (1.0, 1.5)))]) == Constant(0.5)
    assert fastest([(Constant(0.2), None)]) == Constant(0.2)
