"""Ready checkers score outputs as they say."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from parti import Case, PartiError, System, Trial, checks
from parti.design.evaluation import Checker
from parti.errors import StepFailed


class Letter(BaseModel):
    text: str
    kind: str = "plain"


async def equal(one: str, other: str) -> float:
    return 0.9 if one == other else 0.3


def scored(check: Checker, output: Any, expected: Any = None) -> float:
    return asyncio.run(check.score(Case("in", expected), output, Trial(), equal)).value


def test_exact_compares_all_or_one_field() -> None:
    assert scored(checks.exact(), Letter(text="a"), {"text": "a", "kind": "plain"}) == 1
    assert scored(checks.exact(), Letter(text="a"), {"text": "a"}) == 0
    assert scored(checks.exact("text"), Letter(text="a"), {"text": "a"}) == 1
    assert scored(checks.exact("text"), Letter(text="a"), "a") == 1
    assert scored(checks.exact("a.b"), {"a": {"b": 1}}, {"a": {"b": 1}}) == 1


def test_contains_looks_for_every_text_in_whatever_case() -> None:
    assert scored(checks.contains("dear", "sir"), Letter(text="Dear Sir")) == 1
    assert scored(checks.contains("dear", "madam"), Letter(text="Dear Sir")) == 0
    assert scored(checks.contains(field="text"), Letter(text="Dear Sir"), ["sir"]) == 1
    assert scored(checks.contains(), "Dear Sir", "madam") == 0


def test_similar_compares_meanings() -> None:
    assert scored(checks.similar(0.8, "text"), Letter(text="a"), "a") == 1
    assert scored(checks.similar(0.8, "text"), Letter(text="a"), "b") == 0
    assert scored(checks.similar(field="text"), Letter(text="a"), "b") == 0.3
    with pytest.raises(PartiError):
        checks.similar(7)


class Grader:
    """A model that gives these verdicts one after the other."""

    name = "grader"

    def __init__(self, *verdicts: Any) -> None:
        self.verdicts = list(verdicts)
        self.asked: list[tuple[str, str]] = []

    async def ask(self, prompt: str, *, output: Any = str, system: str = "") -> Any:
        self.asked.append((prompt, system))
        verdict = self.verdicts.pop(0)
        if isinstance(verdict, Exception):
            raise verdict
        return output(**verdict)


def test_a_judge_grades_by_a_rubric_and_may_repeat_itself_once() -> None:
    misfit = StepFailed("P704", "no JSON")
    grader = Grader(misfit, {"reason": "fine", "grade": 4})
    assert scored(checks.judge(grader, "Polite?", "text"), Letter(text="Dear")) == 0.75
    assert '"answer":"Dear"' in grader.asked[0][0]
    assert "Polite?" in grader.asked[0][1]
    with pytest.raises(StepFailed):
        scored(checks.judge(Grader(misfit, misfit), "Polite?"), Letter(text="Dear"))


def test_several_checkers_count_equally() -> None:
    both = checks.All((checks.exact("text"), checks.contains("dear")))
    assert scored(both, Letter(text="Dear"), "other") == 0.5
    assert checks.All((checks.schema(), checks.judge(Grader(), "x"))).llms == ("grader",)


def test_what_cannot_be_evaluated_is_refused_where_it_is_declared() -> None:
    desk = System("desk")
    agent = desk.agent("a", llm=desk.llm("local"))
    with pytest.raises(PartiError, match="no mean score"):
        desk.evaluation(of=agent, data="x.jsonl", gate=7)
    with pytest.raises(PartiError, match="`of` is <llm x>"):
        desk.evaluation(of=desk.llm("x"), data="x.jsonl")  # type: ignore[arg-type]
    with pytest.raises(PartiError, match="needs a name"):
        desk.evaluation("", of=agent, data="x.jsonl", check=checks.exact())
    desk.evaluation("once", of=agent, data="x.jsonl", check=checks.exact())
    with pytest.raises(PartiError, match="is declared already"):
        desk.evaluation("once", of=agent, data="x.jsonl", check=checks.exact())
    with pytest.raises(PartiError, match="takes 1 arguments"):

        @desk.evaluation(of=agent, data="x.jsonl")
        def short(case: Any) -> bool:
            return True

    with pytest.raises(PartiError, match="not a tool"):
        desk.evaluation("other", of=agent, data="x.jsonl", check=checks.exact(), instead={agent: str})  # type: ignore[dict-item]
