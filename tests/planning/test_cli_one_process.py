"""`parti plan --one-process`: what `parti up` would do here under a load."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_apps import parti
from plan_kit import its_profile

from parti.planning.predicting import EVENT_LOOP
from parti.planning.storing import profile_json

APP = """
from parti import Slo, System

desk = System("desk", slo=Slo(p99="2s"))


@desk.step
def read(text: str) -> int:
    return len(text)


@desk.tool(effect="read")
async def look_up(size: int) -> str:
    return str(size)


@desk.post("/ask")
async def asking(text: str) -> str:
    return await look_up(await read(text))
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PARTI_APP", "PARTI_STORE", "PARTI_TOKEN", "PARTI_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "profile.json").write_bytes(profile_json(its_profile()))
    return tmp_path


PLAN = ("plan", "--load", "5/s", "--profile", "profile.json", "--requests", "1000")


def test_it_predicts_what_all_parts_do_together(app: Path) -> None:
    found = parti(*PLAN, "--one-process", "--json").json
    assert found["kept"]
    assert EVENT_LOOP in [part["part"] for part in found["prediction"]["parts"]]


def test_its_table_names_the_event_loop(app: Path) -> None:
    said = parti(*PLAN, "--one-process")
    assert said.code == 0, said.err
    assert EVENT_LOOP in said.out


def test_it_is_a_plan_so_no_other_is_taken_beside_it(app: Path) -> None:
    said = parti(*PLAN, "--one-process", "--fixed", "plan.json")
    assert said.code == 2
    assert "P504" in said.err
