"""`parti up --record` and `--replay`: what a model answered once is played back without it, in demos alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from cli_apps import parti
from processes import finished

from parti.declare.loading import load
from parti.testing import Script
from parti.wiring import Tape, new_engine, open_store

APP = """
from collections.abc import Iterator

from pydantic import BaseModel

from parti import System

desk = System("poets")


class Word(BaseModel):
    id: str


words = desk.topic("words", Word, key="id")
poet = desk.agent("poet", llm=desk.llm("http://127.0.0.1:9/v1", model="none", attempts=1), instructions="Write a line.")


@desk.on(words, retry=1)
async def write(word: Word) -> None:
    print("POEM", await poet.run(word.id))


@desk.source(to=words)
def given(position: int) -> Iterator[Word]:
    yield from [Word(id="rain"), Word(id="snow")][position:]
"""


@pytest.fixture
def poets(desk: Path) -> Path:
    (desk / "app.py").write_text(APP, encoding="utf-8")
    return desk


def recorded(folder: Path, *lines: str) -> None:
    """A tape on which a model that is there answered so."""

    async def record() -> None:
        store = open_store(folder / "first.parti")
        design = load(folder / "app.py").design
        script = Script(lambda request: lines[0 if "rain" in request.messages[-1].text else 1])
        engine = new_engine(design, store, providers=lambda _: script, tape=Tape(folder / "tape", play=False))
        await engine.start()
        await engine.idle()
        await engine.stop()
        await store.close()

    asyncio.run(record())


def test_a_tape_answers_in_place_of_a_model_that_is_not_there(poets: Path) -> None:
    recorded(poets, "drip drop", "hush")
    assert len(list((poets / "tape").iterdir())) == 2
    said = finished(poets, "up", "--until-idle", "--port", "0", "--stand-ins", "--replay", "tape")
    assert said.code == 0, said.err
    assert {"POEM drip drop", "POEM hush"} <= set(said.out.splitlines())


def test_a_request_that_the_tape_lacks_ends_its_run_and_says_how_it_differs(poets: Path) -> None:
    recorded(poets, "drip drop", "hush")
    changed = APP.replace("Write a line.", "Write two lines.")
    (poets / "app.py").write_text(changed, encoding="utf-8")
    finished(poets, "up", "--until-idle", "--port", "0", "--stand-ins", "--replay", "tape")
    [run, _] = parti("runs", "--state", "dead", "--json").json
    error = json.loads(run["error"]) if isinstance(run["error"], str) else run["error"]
    assert error["code"] == "P706"
    assert "Write two lines." in error["error"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--replay", "tape"), "P504 recorded answers are for demos and tests alone"),
        (
            ("--replay", "tape", "--stand-ins", "--host", "0.0.0.0", "--token", "t"),
            "P504 recorded answers are for demos",
        ),
        (("--replay", "tape", "--record", "tape"), "P504 --record and --replay exclude each other"),
        (("--replay", "nowhere", "--stand-ins"), "P706 there is no tape"),
    ],
)
def test_what_cannot_be_played_is_refused(poets: Path, options: tuple[str, ...], code: str) -> None:
    (poets / "tape").mkdir()
    said = finished(poets, "up", "--until-idle", "--port", "0", *options)
    assert (said.code, code in said.err, "Traceback" in said.err) == (2, True, False), said.err
