"""`parti plan`: found, told, written, predicted again, and compared."""

from __future__ import annotations

import json
import shlex
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from cli_apps import parti
from plan_kit import its_profile

from parti.planning.storing import profile_json

APP = """
from parti import Slo, System

desk = System("desk", slo=Slo(p99="300ms"))

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
PRICES = """
[sources.rack]
url = "our books"
date = "2026-11-01"

[[machine]]
name = "own/rack"
region = "home"
kind = "general"
vcpu = 4
memory_gib = 16
usd_per_hour = 0.4
source = "rack"
speed = 1.0
"""
QUICK = ("--cloud", "own", "--prices", "prices.toml", "--requests", "2000", "--load", "100/s")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small desk, its profile and a price list."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "app.py").write_text(APP)
    (folder / "prices.toml").write_text(PRICES)
    (folder / "desk.parti.profile.json").write_bytes(profile_json(its_profile()))
    return folder


@pytest.fixture
def here(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as the present folder."""
    for name in ("PARTI_APP", "PARTI_STORE", "PARTI_TOKEN", "PARTI_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(desk)
    return desk


def test_a_plan_is_told_written_and_drawn(here: Path) -> None:
    said = parti("plan", *QUICK, "--svg", "front.svg")
    assert said.code == 0, said.err
    assert "a month for 100/s" in said.out and "proved optimal" in said.out
    assert "fresh samples" in said.out and "the bottleneck is `read`" in said.out
    facts: dict[str, Any] = json.loads((here / "plan.json").read_text())
    assert {part["part"] for part in facts["parts"]} == {"asking", "read", "look_up"}
    assert facts["verification"]["broken"] == 0 and facts["prediction"]["p99"]["high"] <= 0.3
    assert ElementTree.parse(here / "front.svg").getroot().tag.endswith("svg")


def test_a_plan_is_predicted_again_under_another_load(here: Path) -> None:
    assert parti("plan", *QUICK).code == 0
    kept = parti("plan", *QUICK, "--fixed", "plan.json", "--json").json
    assert kept["kept"] and kept["prediction"]["p99"]["high"] <= 0.3
    more = parti("plan", *QUICK[:-1], "900/s", "--fixed", "plan.json")
    assert more.code == 1 and "`read` gets more than it can serve" in more.out


def test_how_old_the_profile_is_and_how_many_calls_it_saw_are_told(here: Path) -> None:
    """The profile by hand ends at 100 seconds after 1970, and has 20 calls of the endpoint and 60 of each other part."""
    for more in ([], ["--one-process"]):
        said = parti("plan", *QUICK, *more)
        (line,) = [line for line in said.out.splitlines() if line.startswith("profile ")]
        assert "days old; calls: asking 20, look_up 60, read 60" in line
    facts = json.loads((here / "plan.json").read_text())["profile"]
    assert facts["calls"] == {"asking": 20, "read": 60, "look_up": 60}
    assert facts["age"] > 50 * 365 * 86400
    assert parti("plan", *QUICK, "--one-process", "--json").json["profile"]["source"] == facts["source"]


def test_machines_that_fail_leave_their_mark_on_a_prediction(here: Path) -> None:
    often = parti("plan", *QUICK, "--failures", "9h/1h", "--json").json
    assert often["kept"] and often["prediction"]["there"] > 0.999
    assert max(part["replicas"] for part in often["parts"]) > 5
    kept = {"version": 1, "system": "desk", "parts": [{"part": "read", "replicas": 3, "machine": "own/rack"}]}
    (here / "three.json").write_text(json.dumps(kept))
    said = parti("plan", *QUICK, "--fixed", "three.json", "--failures", "9h/1h")
    assert said.code == 1 and "the load needs are there for 7" in said.out and "fewer requests end well" in said.out


def test_a_prediction_says_what_one_must_know_before_one_relies_on_it(here: Path) -> None:
    said = parti("plan", *QUICK, "--one-process")
    notes = parti("plan", *QUICK, "--one-process", "--json").json["notes"]
    assert notes and all(f"note: {note}" in said.out for note in notes)


def test_two_plans_are_compared(here: Path) -> None:
    facts = {"version": 1, "system": "desk", "parts": [{"part": "read", "replicas": 3, "machine": "own/rack"}]}
    (here / "three.json").write_text(json.dumps(facts))
    facts["parts"][0]["replicas"] = 5  # type: ignore[index]
    (here / "five.json").write_text(json.dumps(facts))
    said = parti("plan", *QUICK, "--fixed", "three.json", "--what-if", "five.json")
    assert said.code == 0 and "difference, paired" in said.out and "+146.00" in said.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--what-if", "plan.json"), "P504"),
        (("--fixed", "missing.json"), "P834"),
        (("--profile", "missing.json"), "P820"),
        (("--p99", "40ms"), "P811"),
        (("--budget", "1"), "P811"),
        (("--of", "nobody"), "P830"),
        (("--svg", "nowhere/front.svg"), "P834"),
        (("--cloud", "moon"), "P832"),
        (("--p99", "soon"), "P105"),
        (("--failures", "monthly"), "P838"),
    ],
)
def test_what_cannot_be_planned_is_one_coded_error(here: Path, arguments: tuple[str, ...], code: str) -> None:
    said = parti("plan", *QUICK, *arguments, "--json")
    assert (said.code, said.error) == (2, code), said.err


def test_without_a_load_or_a_promise_it_says_what_is_missing(here: Path) -> None:
    assert parti("plan", "--json").error == "P825"
    (here / "free.py").write_text(APP.replace(', slo=Slo(p99="300ms")', ""))
    said = parti("plan", "free.py", *QUICK, "--json")
    assert said.error == "P835" and "--p99" in said.err


def test_the_plan_that_was_found_is_predicted_again_as_it_was_told_by_the_next_command(here: Path) -> None:
    """All that the prediction depends on is in that command, so its figures are the same to the last digit."""
    told = parti("plan", *QUICK, "--seed", "3", "--budget", "900", "--out", "again.json")
    assert told.code == 0, told.err
    following = next(line for line in told.err.splitlines() if line.startswith("next: "))
    words = shlex.split(following.removeprefix("next: parti "))
    assert {"--prices", "--seed", "--requests", "--budget"} <= set(words)
    again = parti(*words, "--json")
    assert again.code == 0, again.err
    found = json.loads((here / "again.json").read_text())
    assert json.loads(again.out)["prediction"]["p99"] == found["prediction"]["p99"]
