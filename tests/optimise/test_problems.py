"""Planning problems: qualities combine as declared, and what cannot be is refused."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lindley import replicas

from parti.errors import PlanError
from parti.optimise.problem import Option, Part, Plan, Problem, Promise, Stage
from parti.optimise.quality import Quality

SHARES = st.floats(0, 1, allow_nan=False)


def test_a_product_a_minimum_and_a_weighted_mean_combine_as_their_names_say():
    assert Quality().of([0.9, 0.8]) == pytest.approx(0.72)
    assert Quality("minimum").of([0.9, 0.8]) == 0.8
    mean = Quality("mean", {"ocr": 3, "llm": 1})
    assert mean.of([mean.term("ocr", 0.8), mean.term("llm", 0.4), mean.term("cache", 0.1)]) == pytest.approx(0.7)


@settings(deadline=None)
@given(st.sampled_from(["product", "minimum", "mean"]), st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=5))
def test_a_better_part_never_makes_the_whole_worse(rule, pairs):
    """Else the best terms of open stages would be no upper bound."""
    names = [f"p{i}" for i in range(len(pairs))]
    quality = Quality(rule, {n: 1.0 + i for i, n in enumerate(names)} if rule == "mean" else {})
    low = quality.of(quality.term(n, min(pair)) for n, pair in zip(names, pairs, strict=True))
    high = quality.of(quality.term(n, max(pair)) for n, pair in zip(names, pairs, strict=True))
    assert 0 <= low <= high + 1e-12 <= 1 + 1e-9


def test_a_promise_allows_as_many_late_requests_as_the_nearest_rank_leaves():
    assert Promise(1.0, 0.99).late_allowed(1000) == 10
    assert Promise(1.0, 0.99).late_allowed(99) == 0
    assert Promise(1.0, 0.5).late_allowed(3) == 1


def test_a_plan_knows_its_cost_and_the_option_of_each_part():
    first, second = Option("a", 0.1), Option("b", 0.2)
    problem = Problem((Stage((Part("x", (first,)),)), Stage((Part("y", (second,)), Part("z", (first,))))))
    plan = Plan(((first,), (second, first)))
    assert plan.cost == pytest.approx(0.4)
    assert plan.options(problem) == {"x": first, "y": second, "z": first}
    assert problem.plans == 1


ONE = Part("ocr", (Option("a", 1.0),))
WRONG = {
    "there is nothing to plan": lambda: Problem(()),
    "a stage has no parts": lambda: Problem((Stage((ONE,)), Stage(()))),
    "`ocr` has no options": lambda: Problem((Stage((Part("ocr", ()),)),)),
    "two parts are called `ocr`": lambda: Problem((Stage((ONE, ONE)),)),
    "costs -1": lambda: Problem((Stage((Part("ocr", (Option("a", -1.0),)),)),)),
    "costs nan": lambda: Problem((Stage((Part("ocr", (Option("a", math.nan),)),)),)),
    "has quality 1.2": lambda: Problem((Stage((Part("ocr", (Option("a", 1.0, 1.2),)),)),)),
    "two options of `ocr` have one label": lambda: Problem((Stage((Part("ocr", (ONE.options[0],) * 2),)),)),
    "a weight is given to `llm`": lambda: Problem((Stage((ONE,)),), Quality("mean", {"llm": 1.0})),
    "combined by 'sum'": lambda: Quality("sum"),  # type: ignore[arg-type]
    "weights mean nothing": lambda: Quality("product", {"ocr": 1.0}),
    "needs weights": lambda: Quality("mean"),
    "no plan can be measured": lambda: Promise(0.0),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_is_refused_with_its_reason(words):
    with pytest.raises(PlanError, match=re.escape(words)) as refused:
        WRONG[words]()
    assert refused.value.code == "P812"
    assert refused.value.fix


def test_replicas_cost_what_they_are():
    assert [option.cost for option in replicas(3, cost=0.5)] == [0.5, 1.0, 1.5]
