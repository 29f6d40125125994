"""How commands fail: exit codes, coded messages on stderr, JSON with --json, tracebacks only on request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_apps import parti

from parti.engine.loop import Engine
from parti.errors import StoreError
from parti.verbs import runs as runs_verb


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours in `parti runs`."""

    async def fail(*_: object, **__: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(runs_verb, "runs", fail)


def test_a_coded_error_ends_with_2_and_says_place_fact_and_fix(desk: Path) -> None:
    (desk / "app.py").write_text("x = 1\nfrom parti import nothing\n", encoding="utf-8")
    said = parti("draw")
    assert said.code == 2
    assert said.out == ""
    head, fix = said.err.splitlines()
    assert head.startswith("app.py:2: P101 ImportError")
    assert fix == "  try: mend the line"


def test_a_syntax_error_names_its_line(desk: Path) -> None:
    (desk / "app.py").write_text("x = 1\ny = = 2\n", encoding="utf-8")
    said = parti("draw", "--json")
    assert said.error == "P101"
    assert json.loads(said.err)["place"] == "app.py:2"


def test_errors_are_json_with_json(desk: Path) -> None:
    said = parti("why", "nobody", "--json")
    assert (said.code, said.out) == (2, "")
    assert json.loads(said.err)["code"] == "P208"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "P102"),
        ("from parti import System\na = System('a')\nb = System('b')\n", "P102"),
        ("from parti import System\na = System('a')\na.topic('t', int, key='id')\n", "P105"),
    ],
)
def test_an_app_that_declares_no_system_is_refused(desk: Path, text: str, code: str) -> None:
    (desk / "app.py").write_text(text, encoding="utf-8")
    assert parti("up", "--port", "0", "--json").error == code


def test_a_file_that_is_not_there_is_p101(desk: Path) -> None:
    assert parti("up", "missing.py", "--json").error == "P101"


def test_a_folder_without_app_and_store_is_p208(desk: Path) -> None:
    (desk / "app.py").unlink()
    assert parti("runs", "--json").error == "P208"


def test_a_bug_ends_with_3_and_shows_no_traceback(desk: Path, broken: None) -> None:
    said = parti("runs")
    assert said.code == 3
    assert said.err.startswith("parti failed: KeyError: 'lost'")
    assert "report" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("asked", [("--debug", "runs"), ("runs",)])
def test_the_traceback_of_a_bug_is_shown_on_request(desk: Path, broken: None, asked: tuple[str, ...]) -> None:
    said = parti(*asked, env={"PARTI_DEBUG": None if "--debug" in asked else "1"})
    assert said.code == 3
    assert "Traceback" in said.err


def test_an_unknown_option_ends_with_2(desk: Path) -> None:
    assert parti("runs", "--bogus").code == 2


def test_an_engine_that_fails_ends_with_its_code(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: Engine) -> None:
        raise StoreError("P202", "the disk is gone")

    monkeypatch.setattr(Engine, "idle", fail)
    said = parti("up", "--until-idle", "--port", "0", "--json")
    assert (said.code, said.error) == (2, "P202")


def test_what_strangers_wrote_cannot_steer_the_terminal(desk: Path) -> None:
    said = parti("why", "run\x1b[2J")
    assert "\x1b" not in said.err
    (desk / "evil.jsonl").write_text('{"id": "a\\u001b[2Jb"}\n', encoding="utf-8")
    assert parti("publish", "orders", "evil.jsonl").code == 0
    assert parti("up", "--until-idle", "--port", "0").code == 0
    assert "\x1b" not in parti("runs").out
