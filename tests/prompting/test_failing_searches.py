"""A search that cannot be, or whose cases fail, says so with a code; it neither scores nothing nor breaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_apps import parti
from prompting_apps import CLEARER, DESK, asked_of, kind_of, taught, wanted

from parti.ports.llm import Answer, LlmFailure, Request
from parti.testing import Script

Answered = Callable[[Any], Script]

UNPRICED = 'desk.llm("http://localhost:8000/v1", model="small", name="unpriced")'


def declared(desk: Path, text: str) -> None:
    (desk / "app.py").write_text(text, encoding="utf-8")


# Prices


@pytest.mark.parametrize(
    "app",
    [
        DESK.replace('llm = desk.llm("local")', f"llm = {UNPRICED}"),
        DESK.replace('llm = desk.llm("local")', f'llm = desk.llm("local", fallbacks=[{UNPRICED}])'),
        DESK.replace('coach = desk.llm("local", name="coach")', f"coach = {UNPRICED}").replace("unpriced", "coach"),
        DESK.replace("check=checks.exact()", f'check=checks.judge({UNPRICED}, "It is right.")'),
    ],
    ids=["asked", "a fallback", "proposes", "judges"],
)
def test_a_budget_refuses_a_model_without_a_price_before_anything_is_asked(
    desk: Path, answered_by: Answered, app: str
) -> None:
    """No sum of what nobody knows is below any budget; once it is none, the same search may be."""
    declared(desk, app)
    script = answered_by(taught)
    told = parti("optimize", "prompt", "whole", "--by", "coach", "--budget", "5", "--json")
    assert (told.code, told.error, script.asked) == (2, "P710", [])
    assert not list(desk.glob("desk.parti.optimize*"))


def test_a_price_that_is_missing_at_run_time_ends_an_evaluation_instead_of_scoring_nothing(
    desk: Path, answered_by: Answered
) -> None:
    """It is an outage like a missing key: it says nothing of the part."""
    app = DESK.replace('llm = desk.llm("local")', 'llm = desk.llm("openai:unlisted", name="unlisted")')
    app = app.replace("output=Label, inst", "output=Label, budget=Budget(usd=1), inst").replace(
        "import Case", "import Budget, Case"
    )
    declared(desk, app)
    answered_by(taught)
    told = parti("eval", "whole", "--json")
    assert (told.code, told.error) == (2, "P710")


# Cases that fail


def test_where_the_present_prompt_fails_in_every_case_the_search_ends_and_says_why(
    desk: Path, answered_by: Answered
) -> None:
    declared(desk, DESK.replace("    return await sorter.run(", '    int("no")\n    return await sorter.run('))
    answered_by(taught)
    told = parti("optimize", "prompt", "sorted_right", "--json")
    assert (told.code, told.error) == (2, "P721")
    assert "36 of 36 cases of `sorted_right` failed with the present prompt: P30" in told.err + told.out
    assert "no" in told.err + told.out
    declared(desk, DESK)
    assert parti("optimize", "prompt", "sorted_right", "--trials", "2").code == 0, "once mended, it is tried anew"


def test_cases_that_fail_are_counted_beside_the_table_with_the_error_of_most(desk: Path, answered_by: Answered) -> None:
    """A wording with which every case fails does not read like one that is only worse."""
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")

    def failing(request: Request) -> Any:
        instructions, number = wanted(request)
        if "with care" in instructions or kind_of(number) == "wish":
            return LlmFailure("P703", "too long", lasting=True)
        return taught(request)

    answered_by(failing)
    options = ("--wording", "clearer.md", "--examples-max", "0")
    told = parti("optimize", "prompt", "whole", *options)
    assert told.code == 0
    lines = [line for line in told.out.splitlines() if " failed: " in line]
    assert len(lines) == 2
    assert lines[0].startswith("present: ") and "of 30 cases failed: P703 `local`: too long" in lines[0]
    assert re.fullmatch(r"clearer.md: (\d+) of \1 cases failed: P703 `local`: too long", lines[1])
    present, clearer = parti("optimize", "prompt", "whole", "--json", *options).json["tried"]
    assert 0 < present["failed"] < 30
    assert (clearer["failed"], clearer["error"]) == (clearer["cases"], "P703 `local`: too long")


def test_a_proposal_that_failed_says_with_what(desk: Path, answered_by: Answered) -> None:
    def play(request: Request) -> Any:
        return LlmFailure("P703", "too long", lasting=True) if asked_of(request) else taught(request)

    answered_by(play)
    found = parti("optimize", "prompt", "whole", "--by", "coach", "--proposals", "1", "--examples-max", "0", "--json")
    assert found.json["discarded"] == [{"name": "proposal 1", "why": "P703 `coach`: too long"}]


# Options and files


@pytest.mark.parametrize("seed", ["-1", str(2**32)])
def test_a_seed_that_no_sampler_takes_is_misuse(desk: Path, answered_by: Answered, seed: str) -> None:
    answered_by(taught)
    told = parti("optimize", "prompt", "whole", "--seed", seed)
    assert told.code == 2
    assert "--seed" in told.err


@pytest.mark.parametrize("how", ["removed", "not UTF-8"])
def test_a_prompt_that_cannot_be_read_any_more_counts_as_changed(desk: Path, answered_by: Answered, how: str) -> None:
    (desk / "clearer.md").write_text(CLEARER, encoding="utf-8")
    file = desk / "prompts" / "sorter.md"

    def meddling(request: Request) -> Answer:
        if how == "removed":
            file.unlink(missing_ok=True)
        else:
            file.write_bytes(b"\xff\xfe")
        return taught(request)

    answered_by(meddling)
    told = parti("optimize", "prompt", "whole", "--wording", "clearer.md", "--examples-max", "0", "--write", "--json")
    assert told.code == 0, told.err
    assert (told.json["written"], told.json["replaced"]) == ("prompts/sorter.best.md", False)
    assert (desk / "prompts" / "sorter.best.md").read_text(encoding="utf-8") == CLEARER
