"""Menus: every choice once, cheapest first, without those that are beaten by a twin."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from parti.optimise.bounds import FRONT_MAX, joined
from parti.optimise.menus import Menu, worth_trying
from parti.optimise.problem import Option, Part
from parti.optimise.quality import Quality

COSTS = st.lists(st.integers(0, 9), min_size=1, max_size=5)


def options(costs: list[int], name: int = 0) -> tuple[Option, ...]:
    return tuple(Option((name, number), float(cost)) for number, cost in enumerate(sorted(costs)))


@settings(deadline=None)
@given(st.lists(COSTS, min_size=1, max_size=4))
def test_a_menu_lists_the_product_of_its_parts_from_the_cheapest_up(costs):
    parts = tuple(options(each, number) for number, each in enumerate(costs))
    menu = Menu(parts)
    read = []
    while (cost := menu.cost(len(read))) is not None:
        read.append((cost, menu.choice(len(read))))
    assert [cost for cost, _ in read] == sorted(sum(o.cost for o in choice) for choice in itertools.product(*parts))
    assert {choice for _, choice in read} == set(itertools.product(*parts))
    assert len(read) == len(set(read))


def test_the_first_choice_of_very_many_comes_at_once():
    menu = Menu(tuple(options(list(range(1000)), number) for number in range(10)))
    assert menu.cost(0) == 0.0 and menu.cost(20) == 2.0


def test_a_part_without_options_has_an_empty_menu():
    assert Menu((options([1]), ())).cost(0) is None


def test_a_twin_that_costs_more_and_is_no_better_is_left_out():
    here, there = Option("here", 1.0, 0.9, "gpu"), Option("there", 1.2, 0.9, "gpu")
    better, other = Option("better", 1.3, 0.95, "gpu"), Option("other", 5.0, 0.1, "cpu")
    kept = worth_trying(Part("llm", (other, better, there, here)), lambda option: True)
    assert kept == (here, better, other)


def test_an_impossible_option_is_left_out():
    part = Part("llm", (Option("a", 1.0), Option("b", 2.0)))
    assert worth_trying(part, lambda option: option.label == "b") == (part.options[1],)


PAIRS = st.lists(st.tuples(st.integers(0, 50).map(float), st.floats(0, 1)), min_size=1, max_size=40)


@settings(deadline=None)
@given(PAIRS, PAIRS)
def test_a_front_never_promises_less_than_there_is(one, other):
    """For each pair of options the front has one that costs no more and is no worse."""
    quality = Quality()
    front = joined(joined([(0.0, 1.0)], one, quality), other, quality)
    assert len(front) <= FRONT_MAX
    for first, second in itertools.product(one, other):
        cost, term = first[0] + second[0], first[1] * second[1]
        assert any(point[0] <= cost + 1e-9 and point[1] >= term - 1e-9 for point in front)
