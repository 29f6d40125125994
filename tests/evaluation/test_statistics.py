"""Statistics of evaluations agree with published values, and their intervals cover what they say."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parti.mlops.evaluation.comparing import compare
from parti.mlops.evaluation.results import Result, Scored
from parti.mlops.evaluation.statistics import bootstrap, interval_of_scores, quantile, sign_test, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), table I
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_values_of_newcombe(successes: int, trials: int, low: float, high: float) -> None:
    interval = wilson(successes, trials)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert interval_of_scores([]) == (0.0, 1.0)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_lies_around_the_share(counts: tuple[int, int]) -> None:
    low, high = wilson(*counts)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1


@pytest.mark.parametrize(
    ("better", "worse", "p"),
    [(0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (9, 1, 0.021484375), (1, 9, 0.021484375), (8, 4, 0.3876953125)],
)
def test_the_sign_test_is_exact(better: int, worse: int, p: float) -> None:
    assert sign_test(better, worse) == p


def test_the_sign_test_of_many_pairs_is_computed() -> None:
    assert 0 < sign_test(5_100, 4_900) < 0.06


def test_a_bootstrap_covers_the_mean_about_as_often_as_it_says() -> None:
    chance = Random(11)
    covered = 0
    for number in range(150):
        values = [chance.betavariate(4, 2) for _ in range(25)]
        low, high = bootstrap(values, seed=number)
        covered += low <= 4 / 6 <= high
    assert 136 <= covered <= 149  # 95 % of 150 is 142; a right interval leaves these bounds once in a hundred


def test_a_bootstrap_says_the_same_of_the_same_values() -> None:
    assert bootstrap([0.1, 0.5, 0.9]) == bootstrap([0.1, 0.5, 0.9])


def test_one_graded_case_says_next_to_nothing() -> None:
    assert interval_of_scores([0.5]) == (0.0, 1.0)


def test_quantiles_are_values_that_were_seen() -> None:
    assert (quantile([1, 2, 3, 4], 0.5), quantile([1, 2, 3, 4], 0.95), quantile([], 0.5)) == (2, 4, 0.0)


def a_result(version: str, *scores: float) -> Result:
    cases = tuple(
        Scored(id=f"c{n}", line=n, repetition=0, tags=(), score=score, why="", error="", usd=0, tokens=0, seconds=0)
        for n, score in enumerate(scores)
    )
    return Result(
        name="e", version=version, of="a", prompt="", llm="", check="x", at=0, gate=None, usd_checking=0, cases=cases
    )


def test_a_clear_difference_is_told() -> None:
    comparison = compare(a_result("one", *[0.0] * 10, *[1.0] * 10), a_result("two", *[1.0] * 20))
    assert comparison.difference == 0.5
    assert comparison.note == "better, and hardly by chance"
    assert compare(a_result("two", *[1.0] * 20), a_result("one", *[0.0] * 10, *[1.0] * 10)).note.startswith("worse")


def test_no_difference_is_told_where_as_many_became_worse_as_better() -> None:
    comparison = compare(a_result("one", *[0.0, 1.0] * 20), a_result("two", *[1.0, 0.0] * 20))
    assert (comparison.better, comparison.worse, comparison.p) == (20, 20, 1.0)
    assert comparison.note == "no difference can be told with 40 cases"


def test_equal_scores_are_no_difference() -> None:
    comparison = compare(a_result("one", 0.5, 1.0), a_result("two", 0.5, 1.0))
    assert comparison.interval == (0.0, 0.0)
    assert comparison.note == "no difference can be told with 2 cases: only 0 of them changed"


def test_scores_of_another_checker_are_not_called_better() -> None:
    other = replace(a_result("two", *[1.0] * 20), check="y")
    assert "the checker changed" in compare(a_result("one", *[0.0] * 20), other).note


def test_versions_without_a_common_case_are_not_compared() -> None:
    assert "nothing can be compared" in compare(a_result("one"), a_result("two", 1.0)).note


def test_under_no_difference_a_verdict_is_rare() -> None:
    """Two equal versions with noisy scores: at most about one in twenty comparisons may claim a difference."""
    chance, claimed = Random(5), 0
    for _ in range(60):
        one = a_result("one", *[float(chance.random() < 0.7) for _ in range(40)])
        two = a_result("two", *[float(chance.random() < 0.7) for _ in range(40)])
        claimed += "hardly by chance" in compare(one, two).note
    assert claimed <= 6
