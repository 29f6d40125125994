"""Examples stand in a prompt so that what the model reads is what the data says, whatever that holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from parti.declare.prompts import prove_variables
from parti.declare.types import payload_of
from parti.design.places import NOWHERE
from parti.design.prompt import Template
from parti.mlops.prompting.candidates import BASE, Candidate, Space, Tried, Wording, best_of, misfit_of
from parti.mlops.prompting.examples import Example, example_of, is_shown_in, with_examples

texts = st.text(st.characters(exclude_categories=("Cs",)))
examples = st.builds(Example, st.integers(1, 99), texts, texts, st.sampled_from(["", '{"tone": "warm"}']))


class Tone(BaseModel):
    tone: str


def template(text: str) -> Template:
    return Template("a.md", text)


def toned(text: str) -> Template:
    return Template("a.md", text, payload_of(Tone, place=NOWHERE, what="it"))


@given(st.lists(examples, min_size=1, max_size=4))
def test_what_the_model_reads_is_what_the_data_says(found: list[Example]) -> None:
    """Braces of the data are no variables, and those of the prompt still are."""
    text = with_examples("Be {tone}.\n", found)
    prove_variables("a.md", text, {"tone"})
    read = toned(text).render({"tone": "warm"})[0]
    assert read.startswith("Be warm.\n\n## Examples\n\n### Example 1\n")
    for one in found:
        assert f"\n{one.task}\n" in read and f"\n{one.answer}\n" in read


def test_no_text_ends_its_fence_early() -> None:
    read = template(with_examples("Sort.", [Example(1, "```\ndo\n````", "a")])).render({})[0]
    assert "Input:\n\n`````\n```\ndo\n````\n`````\n\nOutput:\n\n```\na\n```\n" in read


def test_without_examples_a_text_stays_as_it_is() -> None:
    assert with_examples("Sort.  \n", []) == "Sort.  \n"


def test_a_text_answer_is_shown_as_it_is_and_any_other_as_json() -> None:
    assert example_of(1, "a", "yes").answer == "yes"
    assert example_of(1, "a", {"label": "x"}, {"tone": "warm"}) == Example(1, "a", '{"label":"x"}', '{"tone": "warm"}')


def test_a_case_that_is_an_example_already_is_known_again() -> None:
    text = with_examples("Sort.", [Example(1, "a {b}", "c")])
    assert is_shown_in(text, "a {b}")
    assert not is_shown_in(text, "a")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Be {tone}.", ""),
        ("{tone}, {tone}!", ""),
        ("Be nice.", "the variable {tone} is lost"),
        ("Be {tone} and {quick}.", "it names {quick}, which is no variable"),
        ("Be {tone} and {}.", "it has empty braces"),
        ("Be {tone.", "its braces do not match"),
        ("Be {tone.colour}.", "a variable cannot be put in"),
        ("Be {tone:d}.", "a variable cannot be put in"),
    ],
)
def test_a_wording_keeps_exactly_the_variables(text: str, why: str) -> None:
    said = misfit_of(text, toned("Be {tone}."), [{"tone": "warm"}])
    assert said.startswith(why) and bool(said) == bool(why)


def tried(mean: float, *chosen: int, stopped: bool = False) -> Tried:
    return Tried(Candidate(0, chosen), "", (mean,) * 4, stopped, 0.0)


def test_among_equals_the_one_with_fewer_examples_is_best_then_the_earlier_one() -> None:
    base = Tried(BASE, "", (0.5,) * 4, False, 0.0)
    assert best_of([base, tried(0.5, 1)]) is base
    few = tried(0.8, 3)
    assert best_of([base, tried(0.8, 1, 2), few, tried(0.8, 4)]) is few
    assert best_of([base, tried(1.0, 1, stopped=True)]) is base, "four good cases are not all"


def test_the_size_of_a_space_counts_each_choice_once() -> None:
    pool = tuple(Example(number, "", "") for number in range(5))
    words = (Wording("present", ""), Wording("b", "b"))
    assert Space(words, pool, 2).size == 2 * (1 + 5 + 10)
    assert Space(words, pool, 9).size == 2 * 2**5
    assert Space(words, (), 4).size == 2
