"""Processes killed at random moments: what was promised holds when the last of them is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .judging import breaches, remains_of
from .lives import Chain, ForkServer, killed_and_settled
from .recorder import Fuse, Moment

CASES = 10
KILLS = 6
STORM_CASES = 50
STORM_KILLS = 10


@pytest.mark.parametrize("seed", range(CASES))
def test_a_process_killed_at_random_moments_loses_nothing_and_doubles_nothing(
    server: ForkServer, tmp_path: Path, seed: int
) -> None:
    chain, remains, broken = killed_and_settled(server, tmp_path / "desk.parti", seed, KILLS)
    assert broken == []
    assert chain.kills == KILLS
    print(f"seed {seed}: {len(remains.runs)} runs, {len(remains.doubts)} writes in doubt, died at {chain.told}")


@pytest.mark.storm
@pytest.mark.parametrize("seed", range(1000, 1000 + STORM_CASES))
def test_a_storm_of_kills_loses_nothing_and_doubles_nothing(server: ForkServer, tmp_path: Path, seed: int) -> None:
    chain, _, broken = killed_and_settled(server, tmp_path / "desk.parti", seed, STORM_KILLS)
    assert broken == []
    assert chain.kills == STORM_KILLS


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.BETWEEN])
def test_each_write_that_a_kill_leaves_in_doubt_is_asked_about_and_done_once(
    server: ForkServer, tmp_path: Path, moment: Moment
) -> None:
    with Chain(server, tmp_path / "desk.parti") as chain:
        for _ in range(3):
            life = chain.life(publish=5, arrivals=0, operator=False)
            chain.killed(life, Fuse(1, moment, only="do pay"))
        remains, broken = chain.settle()
    assert broken == []
    assert len(remains.doubts) >= 3
    assert {doubt.who for doubt in remains.doubts} == {"operator"}
    assert {doubt.run.split(":")[0] for doubt in remains.doubts} == {"charge"}


@pytest.mark.parametrize("tool", ["ship", "mail"])
def test_writes_that_can_be_looked_up_or_repeated_bother_nobody(server: ForkServer, tmp_path: Path, tool: str) -> None:
    with Chain(server, tmp_path / "desk.parti") as chain:
        for moment in (Moment.BEFORE, Moment.BETWEEN, Moment.BETWEEN):
            chain.killed(chain.life(publish=2, arrivals=0), Fuse(1, moment, only=f"do {tool}"))
        remains, broken = chain.settle()
    assert broken == []
    assert [doubt.text for doubt in remains.doubts if tool in doubt.text] == []
    assert max(count for (part, _), count in remains.intents.items() if part == tool) > 1, "nothing was tried again"


def test_a_write_that_was_answered_is_never_in_doubt(server: ForkServer, tmp_path: Path) -> None:
    with Chain(server, tmp_path / "desk.parti") as chain:
        for _ in range(3):
            chain.killed(chain.life(publish=1, arrivals=0), Fuse(1, Moment.BEFORE, only="look slip"))
        remains, broken = chain.settle()
    assert broken == []
    assert remains.doubts == []


def test_a_write_that_is_in_doubt_twice_is_asked_about_twice(server: ForkServer, tmp_path: Path) -> None:
    """A late answer to the first question must not settle the second doubt, so they are two questions."""
    with Chain(server, tmp_path / "desk.parti") as chain:
        chain.killed(chain.life(publish=1, arrivals=0), Fuse(1, Moment.BEFORE, only="do pay"))
        chain.killed(chain.life(publish=0, arrivals=0), Fuse(1, Moment.BETWEEN, only="do pay"))
        remains, broken = chain.settle()
    assert broken == []
    assert [json.loads(doubt.answer)["happened"] for doubt in remains.doubts] == [False, True]
    assert len({doubt.id for doubt in remains.doubts}) == 2


def test_without_the_fence_of_writes_the_same_kills_double_an_effect(server: ForkServer, tmp_path: Path) -> None:
    with Chain(server, tmp_path / "desk.parti", fenced=False) as chain:
        for _ in range(3):
            chain.killed(chain.life(publish=2, arrivals=0), Fuse(1, Moment.BETWEEN, only="do pay"))
        _, broken = chain.settle()
    assert any("pay" in breach and "happened" in breach for breach in broken), broken


def test_the_judge_notices_lost_and_doubled_effects_events_and_rows(server: ForkServer, tmp_path: Path) -> None:
    with Chain(server, tmp_path / "desk.parti") as chain:
        chain.life(publish=2, arrivals=0)
        remains, broken = chain.settle()
        assert broken == []
        chain.recorder.counts["pay", "p0"] = 2
        del chain.recorder.counts["mail", "p1"]
        chain.recorder.counts["published", "p9"] = 1
        remains.events["receipts"].pop()
        remains.accounts.pop("ann")
        remains.runs.pop()
        broken = breaches(remains, chain.recorder, chain.published, chain.arrivals)
    wanted = ("pay of p0 happened 2", "mail of p1 is lost", "p9 was acknowledged", "receipts:", "ann has", "runs of ")
    for said in wanted:
        assert any(said in breach for breach in broken), (said, broken)


def test_a_process_that_was_never_disturbed_leaves_no_doubt(server: ForkServer, tmp_path: Path) -> None:
    with Chain(server, tmp_path / "desk.parti") as chain:
        chain.life(publish=10, arrivals=10)
        remains, broken = chain.settle()
    assert broken == []
    assert remains.doubts == []
    assert set(remains.intents.values()) == {1}
    assert remains_of(tmp_path / "desk.parti").findings == []
