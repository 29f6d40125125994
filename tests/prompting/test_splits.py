"""Cases are split into three parts that have nothing in common, by their content and a seed."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parti.errors import PartiError
from parti.mlops.evaluation.cases import Planned
from parti.mlops.prompting.splits import LEAST, split


def case(number: int, expected: str = "", again: int = 0) -> Planned:
    """A case; `again` is how often its line stood there before."""
    id = f"{number:08x}{expected}" + (f"-{again + 1}" if again else "")
    facts = {"input": number, "expected": expected, "tags": (), "variables": {}, "line": number}
    return Planned(id, number, (), (str(number),), facts)


def inputs(part: tuple[Planned, ...]) -> set[int]:
    return {one.facts["input"] for one in part}


numbers = st.sets(st.integers(0, 10_000), min_size=15, max_size=120)
seeds = st.integers(-(2**40), 2**40)


@given(numbers, seeds, st.booleans())
def test_the_parts_are_disjoint_and_cover_all_cases(found: set[int], seed: int, drawing: bool) -> None:
    parts = split([case(number) for number in found], seed, drawing=drawing)
    drawn, choosing, held_out = map(inputs, (parts.drawn, parts.choosing, parts.held_out))
    assert not drawn & choosing and not drawn & held_out and not choosing & held_out
    assert drawn | choosing | held_out == found
    assert bool(drawn) == drawing
    assert len(choosing) >= LEAST and len(held_out) >= LEAST
    assert 0 <= len(held_out) - len(choosing) <= 1


@given(
    st.lists(st.integers(0, 10_000), min_size=15, max_size=60, unique=True), seeds, st.randoms(use_true_random=False)
)
def test_where_a_case_goes_does_not_hang_on_the_order_of_the_lines(found: list[int], seed: int, chance: Random) -> None:
    before = split([case(number) for number in found], seed, drawing=True)
    chance.shuffle(found)
    after = split([case(number) for number in found], seed, drawing=True)
    assert before == after


@given(numbers, seeds, st.data())
def test_cases_with_one_input_stay_together_and_equal_lines_count_once(
    found: set[int], seed: int, data: st.DataObject
) -> None:
    twice = data.draw(st.sets(st.sampled_from(sorted(found))))
    other = data.draw(st.sets(st.sampled_from(sorted(found))))
    cases = [case(number) for number in found]
    cases += [case(number, again=1) for number in twice] + [case(number, "else") for number in other]
    parts = split(cases, seed, drawing=True)
    groups = [inputs(part) for part in (parts.drawn, parts.choosing, parts.held_out)]
    assert sum(map(len, groups)) == len(found)
    assert parts.repeated == len(twice)
    assert sum(len(part) for part in (parts.drawn, parts.choosing, parts.held_out)) == len(found) + len(other)


def test_another_seed_splits_otherwise() -> None:
    cases = [case(number) for number in range(40)]
    held_out = {tuple(one.id for one in split(cases, seed, drawing=True).held_out) for seed in range(10)}
    assert len(held_out) == 10


@pytest.mark.parametrize(("drawing", "least"), [(True, 15), (False, 12)])
def test_too_few_cases_are_refused_saying_how_many_are_needed(drawing: bool, least: int) -> None:
    split([case(number) for number in range(least)], 0, drawing=drawing)
    with pytest.raises(PartiError, match=f"{least - 1} different cases are too few") as wrong:
        split([case(number) for number in range(least - 1)] * 2, 0, drawing=drawing)
    assert wrong.value.code == "P721"
    assert f"give at least {least}" in wrong.value.fix
