"""Long conversations, killed at their last turn: a turn takes no more of the journal late than early, and no answer is asked for again.

How long it takes to go on is measured by `make bench`, and no test: a machine may be slow.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from bench.parti_conversation import SHOWN, growth, kill_at_last_turn, resume

TURNS = 5000
FACTOR = 1.1
"""How many times as many bytes a late turn may take as an early one: numbers in it have more digits."""


def test_a_killed_run_of_5000_turns_goes_on_with_the_last_one(tmp_path: Path) -> None:
    """A turn is an answer of the model and a call of a tool; all but the last had both when the process was killed."""
    killed = kill_at_last_turn(tmp_path / "talk.parti", "run", TURNS)
    resumed = asyncio.run(resume(tmp_path / "talk.parti", "run", TURNS))
    assert resumed.answer == TURNS
    assert resumed.asked == 1, "answered turns were asked again"
    assert resumed.shown == 2 * TURNS, "the model was shown less than all turns"
    _, bytes_growth = growth(killed, TURNS)
    assert bytes_growth < FACTOR
    print(f"{sum(killed.bytes) / TURNS:.0f} bytes a turn, resumed in {resumed.seconds:.2f} s")


@pytest.mark.parametrize(
    ("turns", "factor"),
    [
        pytest.param(100, 2.0, id="while the session fills"),
        pytest.param(TURNS, FACTOR, id="5000 turns", marks=pytest.mark.storm),
    ],
)
def test_a_killed_session_of_many_turns_goes_on_with_the_last_one(tmp_path: Path, turns: int, factor: float) -> None:
    """Each turn is a run of its own, which is shown the latest exchanges."""
    killed = kill_at_last_turn(tmp_path / "talk.parti", "session", turns)
    resumed = asyncio.run(resume(tmp_path / "talk.parti", "session", turns))
    assert resumed.answer == turns
    assert resumed.asked == 1, "answered turns were asked again"
    assert resumed.shown == 1 + 2 * SHOWN + 1, "the model was shown something else than the latest exchanges"
    _, bytes_growth = growth(killed, turns)
    assert bytes_growth < factor
    print(f"{sum(killed.bytes) / turns:.0f} bytes a turn, resumed in {resumed.seconds:.2f} s")
