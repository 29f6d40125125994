"""Overflow is declared with an agent: refused where it cannot be, drawn where it calls a model, and a part of the version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from parti import PartiError, Summarise, System, Truncate, checks
from parti.design.agent import Agent
from parti.mlops.evaluation.trials import version_of


def a_desk(overflow: Any = None, **llm: Any) -> System:
    desk = System("desk")
    llm = {"context": 4_000, "max_tokens": 500, **llm}
    desk.agent("clerk", llm=desk.llm("local", **llm), overflow=overflow)
    return desk


def refused(declare: Callable[[], Any]) -> PartiError:
    with pytest.raises(PartiError) as wrong:
        declare()
    assert wrong.value.code == "P105"
    assert wrong.value.fix, "an error without a next action"
    return wrong.value


SHARES = [0, -0.5, 1.01, float("nan"), float("inf"), "half", None, True]


@pytest.mark.parametrize("share", SHARES)
def test_a_share_is_above_0_and_at_most_1(share: Any) -> None:
    assert "is no share of the window" in refused(lambda: Truncate(keep=share)).what
    assert "is no share of the window" in refused(lambda: Summarise(keep=share)).what
    if share is not None:
        assert "is no share of the window" in refused(lambda: Truncate(results=share)).what
    assert (Truncate(keep=1).keep, Truncate(results=None).results) == (1, None)


@pytest.mark.parametrize(
    "wrong", [{"tokens": 0}, {"tokens": "500"}, {"tokens": True}, {"instructions": " "}, {"otherwise": Summarise()}]
)
def test_a_summary_has_a_length_instructions_and_truncation_at_most_in_its_place(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    assert refused(lambda: Summarise(**wrong)).what.startswith(f"{name}=")


@pytest.mark.parametrize("wrong", ["truncate", 5, Truncate, {"keep": 0.5}])
def test_an_overflow_is_one_of_the_two(wrong: Any) -> None:
    error = refused(lambda: a_desk(wrong))
    assert error.what.startswith("overflow=")
    assert "test_overflow_declared.py:" in str(error.place)


@pytest.mark.parametrize("overflow", [Truncate(), Summarise()])
def test_the_window_of_the_model_must_be_known(overflow: Any) -> None:
    error = refused(lambda: a_desk(overflow, context=None))
    assert "the context window of `local` is not known" in error.what
    assert "context=8192" in error.fix


def test_the_windows_of_its_fallbacks_must_be_known_and_the_smallest_counts() -> None:
    desk = System("desk")
    far = desk.llm("local", name="far")
    near = desk.llm("local", name="near", context=4_000, max_tokens=500, fallbacks=[far])
    error = refused(lambda: desk.agent("clerk", llm=near, overflow=Truncate()))
    assert "the context window of `far` is not known" in error.what
    small = desk.llm("local", name="small", context=400)
    other = desk.llm("local", name="other", context=4_000, max_tokens=500, fallbacks=[small])
    assert "no room beside an answer of 500" in refused(lambda: desk.agent("b", llm=other, overflow=Truncate())).what


def test_a_window_that_an_answer_fills_has_no_room() -> None:
    error = refused(lambda: a_desk(Truncate(), context=1_000, max_tokens=1_000))
    assert error.what == "the context window of `local` has no room beside an answer of 1,000 tokens"


@pytest.mark.parametrize("by", ["local", 5, lambda text: text])
def test_who_summarises_is_a_language_model(by: Any) -> None:
    assert refused(lambda: a_desk(Summarise(by=by))).what.endswith("is no language model")


def test_an_agent_does_not_summarise() -> None:
    desk = a_desk()
    clerk = desk.agent("other", llm=desk.llm("local", name="b"))
    assert "is no language model" in refused(lambda: a_desk(Summarise(by=clerk))).what


def test_a_summary_leaves_room_for_what_it_stands_beside() -> None:
    assert "leaves nothing of the 1,750 that `clerk` keeps" in refused(lambda: a_desk(Summarise(tokens=1_750))).what


def test_the_model_that_summarises_has_room_for_the_summary_before_and_more() -> None:
    desk = System("desk")
    large = desk.llm("local", name="large", context=90_000)
    small = desk.llm("local", name="small", context=1_900)
    unknown = desk.llm("local", name="unknown")
    error = refused(lambda: desk.agent("clerk", llm=large, overflow=Summarise(by=small)))
    assert "the window of `small` has 1,273 tokens beside its instructions and a summary of 500" in error.what
    error = refused(lambda: desk.agent("clerk", llm=large, overflow=Summarise(by=unknown)))
    assert "the context window of `unknown` is not known" in error.what


def test_instructions_longer_than_the_window_leave_no_room_to_summarise() -> None:
    error = refused(lambda: a_desk(Summarise(instructions="Summarise well. " * 1_000)))
    assert "the window of `local` has 0 tokens beside its instructions and a summary of 500" in error.what


def test_a_model_of_another_system_does_not_summarise_even_by_the_same_name() -> None:
    other = System("other").llm("local", context=9_000)
    assert refused(lambda: a_desk(Summarise(by=other))).what == (
        "by= is `local` of another system, which no run of this one can ask"
    )


@pytest.mark.parametrize("what", ["the llm of `clerk`", "a tool of `clerk`", "the memory of `clerk`", "a fallback"])
def test_parts_of_another_system_are_refused_even_by_the_same_name(what: str) -> None:
    """The design knows parts by their names: it would ask this system's model while the app means the other's."""

    def declared(desk: System) -> tuple[Any, Any, Any]:
        llm, memory = desk.llm("local"), desk.memory("notes")

        @desk.tool(effect="read")
        def look(word: str) -> str:
            return word

        return llm, look, memory

    desk, other = System("desk"), System("other")
    (llm, look, memory), (their_llm, their_look, their_memory) = declared(desk), declared(other)
    with pytest.raises(PartiError) as wrong:
        if what == "a fallback":
            desk.llm("local", name="backed", fallbacks=[their_llm])
        desk.agent(
            "clerk",
            llm=their_llm if "llm" in what else llm,
            tools=[their_look if "tool" in what else look],
            memory=their_memory if "memory" in what else memory,
        )
    assert wrong.value.code == "P106"
    assert wrong.value.what.startswith(f"{what} is `") and wrong.value.what.endswith("` of another system")


def test_the_model_that_summarises_is_kept_by_name_and_drawn_as_what_may_be_called() -> None:
    desk = System("desk")
    llm, other = desk.llm("local", context=9_000), desk.llm("local", name="other", context=9_000)
    desk.agent("own", llm=llm, overflow=Summarise())
    desk.agent("lent", llm=llm, overflow=Summarise(by=other))
    declared = {agent.name: agent.overflow for agent in desk.design.all(Agent)}
    assert declared == {"own": Summarise(by="local"), "lent": Summarise(by="other")}
    drawn = [(arrow.source, arrow.target, arrow.may) for arrow in desk.design.arrows]
    assert drawn == [("lent", "local", False), ("lent", "other", True), ("own", "local", False)]


def test_what_gives_way_is_part_of_the_design_and_of_the_version_that_an_evaluation_tells() -> None:
    def versions(overflow: Any) -> tuple[str, str]:
        desk = System("desk")
        clerk = desk.agent("clerk", llm=desk.llm("local", context=4_000, max_tokens=500), overflow=overflow)
        desk.evaluation("good", of=clerk, data="cases.jsonl", check=checks.exact())
        (evaluation,) = desk.design.evaluations
        return desk.design.digest, version_of(desk.design, evaluation, {})

    kinds = [None, Truncate(), Truncate(keep=0.6), Truncate(results=None), Summarise(), Summarise(tokens=400)]
    kinds += [Summarise(instructions="Be short."), Summarise(otherwise=Truncate())]
    for told in zip(*map(versions, kinds), strict=True):
        assert len(set(told)) == len(kinds)
    assert versions(Summarise()) == versions(Summarise())
