"""The picture of a front: all plans, the promise, the chosen one, with round numbers beside the axes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from parti.drawings.front import draw_front

POINTS = [(0.1, 2.0, 1.0), (0.2, 0.9, 1.0), (0.4, 0.3, 1.0)]


def texts(svg: str) -> list[str]:
    """All texts that a reader sees."""
    return [one.text or "" for one in ElementTree.fromstring(svg).iter() if one.tag.endswith("text")]


def test_each_plan_is_a_dot_that_says_what_it_is() -> None:
    svg = draw_front(POINTS, (0.2, 0.95), 1.0)
    assert svg.count('<circle class="plan"') == 3 and svg.count('<circle class="chosen"') == 1
    assert "$73.00 a month, p99 2s, quality 1" in svg
    assert {"What a lower p99 costs", "promised", "the plan"} <= set(texts(svg))


def test_axes_have_round_numbers() -> None:
    shown = texts(draw_front(POINTS, (0.2, 0.95), 1.0))
    assert {"$100", "$200"} <= set(shown)
    assert all(re.fullmatch(r"\$[1-9]0*|\$[1-9]50*", one.replace(",", "")) for one in shown if one.startswith("$"))


@pytest.mark.parametrize("points", [[], [(0.1, float("inf"), 1.0)], [(0.0, 0.1, 1.0)], [(0.1, 0.1, 1.0)] * 3])
def test_few_plans_or_none_are_drawn_as_well(points: list[tuple[float, float, float]]) -> None:
    assert ElementTree.fromstring(draw_front(points, (0.1, float("inf")), 0.5)).tag.endswith("svg")


def test_qualities_that_differ_are_no_stairs() -> None:
    assert "stairs" in draw_front(POINTS, (0.2, 0.9), 1.0).split("</style>")[1]
    mixed = [(0.1, 2.0, 0.8), (0.2, 0.9, 0.9)]
    assert "stairs" not in draw_front(mixed, (0.2, 0.9), 1.0).split("</style>")[1]


def test_equal_fronts_give_equal_bytes() -> None:
    assert draw_front(POINTS, (0.2, 0.9), 1.0) == draw_front(list(POINTS), (0.2, 0.9), 1.0)
