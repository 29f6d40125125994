"""The search finds what scores best, says each candidate once, and is the same for the same seed."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parti.errors import PartiError
from parti.mlops.evaluation.statistics import sign_test
from parti.mlops.prompting.candidates import BASE, Candidate, Space, Tried, Wording, best_of
from parti.mlops.prompting.examples import Example
from parti.mlops.prompting.racing import HARDLY, heats, is_out
from parti.mlops.prompting.search import Search

WORDS = tuple(Wording(name, name) for name in ("present", "b", "c"))
POOL = tuple(Example(number, str(number), "") for number in range(8))
PLANTED = Candidate(1, (2, 5))


def planted(candidate: Candidate) -> float:
    """Best with the wording 1 and the examples 2 and 5; others are in the way."""
    right = 0.3 * (candidate.wording == 1) + sum(0.3 for number in (2, 5) if number in candidate.examples)
    return 0.1 + right - 0.02 * len(candidate.examples)


def walk(score: Callable[[Candidate], float], trials: int, *, seed: int = 0, most: int = 3) -> list[Tried]:
    search, found = Search(Space(WORDS, POOL, most), seed), list[Tried]()
    for candidate in search.candidates(trials):
        found.append(Tried(candidate, "", (score(candidate),) * 4, False, 0.0))
        search.tell(found[-1])
    return found


def test_the_present_prompt_comes_first_and_each_wording_is_tried_bare() -> None:
    assert [one.candidate for one in walk(planted, 3)] == [BASE, Candidate(1), Candidate(2)]


@pytest.mark.parametrize("seed", range(3))
def test_the_planted_best_is_found_in_a_part_of_the_space(seed: int) -> None:
    """There are 3 times 93 candidates; the search tries less than a fourth of them."""
    assert best_of(walk(planted, 65, seed=seed)).candidate == PLANTED


def test_the_same_seed_walks_the_same_way_and_another_does_not() -> None:
    ways = [[one.candidate for one in walk(planted, 25, seed=seed)] for seed in (4, 4, 5)]
    assert ways[0] == ways[1] != ways[2]


def test_no_candidate_is_tried_twice_and_a_small_space_ends_the_search() -> None:
    found = [one.candidate for one in walk(planted, 500, most=1)]
    assert len(found) == len(set(found)) == 3 * 9


def test_without_its_package_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(PartiError) as wrong:
        Search(Space(WORDS, (), 0), 0)
    assert (wrong.value.code, wrong.value.fix) == ("P110", "pip install 'parti[optimize]'")


def test_a_race_looks_after_a_quarter_a_half_and_all_cases() -> None:
    assert heats(40) == [10, 20, 40]
    assert heats(7) == [4, 7]
    assert heats(3) == [3]


bits = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=40)


@given(bits)
def test_what_ends_better_is_only_dropped_while_it_is_worse_and_hardly_by_chance(
    pairs: list[tuple[float, float]],
) -> None:
    scores, best = [one for one, _ in pairs], [other for _, other in pairs]
    for until in heats(len(pairs)):
        if is_out(scores[:until], best):
            better = sum(one > other for one, other in pairs[:until])
            worse = sum(one < other for one, other in pairs[:until])
            assert sum(scores) <= sum(best) or (worse > better and sign_test(better, worse) < HARDLY)


def test_a_candidate_that_cannot_catch_up_is_dropped() -> None:
    assert is_out([0, 0], [1, 1, 1, 0, 1])
    assert is_out([1, 1], [1] * 5), "nothing is better than all"
    assert not is_out([0, 0], [1, 0, 0, 0, 1])
    assert is_out([0] * 5, [1] * 5 + [0] * 20)
    assert not is_out([0] * 5, [0] * 5), "it was tried on all"
