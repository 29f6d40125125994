"""The letters of the lending example: nothing that a model made up is ever sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from engine_kit import Play, World, result_of

from parti import System
from parti.patterns import Critique
from parti.ports.llm import LlmFailure
from parti.testing import Script

LENDING = Path(__file__).parents[2] / "examples" / "lending"
REASONS = ["earlier credit was paid late", "the loan is large for the value of the house"]
GOOD = {"opening": "Thank you for applying.", "reasons": REASONS, "closing": "Please call us with questions."}
LIKED, DISLIKED = {"good": True}, {"good": False, "remarks": "too short"}


@pytest.fixture(scope="module")
def letters() -> Iterator[ModuleType]:
    sys.path.insert(0, str(LENDING))
    try:
        yield import_module("letters")
    finally:
        sys.path.remove(str(LENDING))
        sys.modules.pop("letters", None)


def sent(letters: ModuleType, in_world: Play, lines: list[Any]) -> tuple[str, str]:
    """The letter that is sent, and how it came to be, when the models say these lines."""
    desk = System("desk")
    llm = desk.llm("local")
    writer = desk.agent("writer", llm=llm, output=letters.Draft, instructions=letters.WRITE, repairs=1)
    critic = desk.agent("critic", llm=llm, output=Critique, instructions=letters.CRITICISE)

    @desk.post("/letter")
    async def letter(reasons: list[str]) -> list[str]:
        return list(await letters.refuse(reasons, writer, critic))

    async def main(world: World) -> tuple[str, str]:
        async with world.running(desk, script=Script(lines)) as live:
            text, stage = await result_of(live, "letter", REASONS)
            return text, stage

    return in_world(main)


def test_a_letter_that_holds_and_that_the_critic_likes_is_sent(letters: ModuleType, in_world: Play) -> None:
    text, stage = sent(letters, in_world, [GOOD, LIKED])
    assert stage == "by the model"
    assert text.splitlines() == [
        "Thank you for applying.",
        *(f"- {r}" for r in REASONS),
        "Please call us with questions.",
    ]


@pytest.mark.parametrize(
    ("bad", "stage"),
    [
        ({**GOOD, "reasons": REASONS[:1]}, "template: reasons were changed"),
        ({**GOOD, "reasons": [*REASONS, "you have no job"]}, "template: reasons were changed"),
        ({**GOOD, "opening": "The bankruptcy of your firm was sad."}, "template: facts were invented"),
        ({**GOOD, "closing": "We will lend you 5 dollars later"}, "template: facts were invented"),
        ({**GOOD, "closing": ""}, "template: facts were invented"),
    ],
)
def test_what_was_invented_gets_one_chance_and_is_not_sent(
    letters: ModuleType, in_world: Play, bad: Any, stage: str
) -> None:
    assert sent(letters, in_world, [bad, bad]) == (letters.template(REASONS), stage)
    assert sent(letters, in_world, [bad, GOOD, LIKED])[1] == "by the model, repaired"


def test_a_letter_that_the_critic_dislikes_is_not_sent(letters: ModuleType, in_world: Play) -> None:
    assert sent(letters, in_world, [GOOD, DISLIKED]) == (letters.template(REASONS), "template: the critic refused")


def test_a_model_that_gives_no_draft_or_is_not_there_is_done_without(letters: ModuleType, in_world: Play) -> None:
    assert sent(letters, in_world, ["Dear Sir", "Dear Madam"])[1] == "template: no valid draft"
    gone = LlmFailure("P702", "the weights are not installed", lasting=True)
    assert sent(letters, in_world, [gone]) == (letters.template(REASONS), "template: no model")


def test_the_writer_is_told_what_was_wrong(letters: ModuleType) -> None:
    problem = letters.fault(letters.Draft(**{**GOOD, "opening": "The firm collapsed."}), REASONS)
    assert problem == (
        "template: facts were invented",
        "open and close with plain courtesies alone; leave out: collapsed, firm",
    )
    assert letters.fault(letters.Draft(**GOOD), REASONS) is None
