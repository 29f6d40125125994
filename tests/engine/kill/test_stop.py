"""A real process that is told to end: it finishes or hands back, and loses nothing."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from parti.ports.store import State
from parti.wiring import open_store

from .lives import SIGKILLED, Chain, ForkServer
from .recorder import Fuse, Moment


def states_of(path: Path) -> Counter[State]:
    """How many runs are in each state after the process has ended."""

    async def read() -> Counter[State]:
        store = open_store(path, read_only=True)
        found: Counter[State] = Counter()
        for (_, state), count in (await store.counts()).items():
            found[state] += count
        await store.close()
        return found

    return asyncio.run(read())


@pytest.mark.parametrize("seed", range(3))
def test_sigterm_lets_runs_finish_so_that_nothing_is_lost_and_nobody_is_asked(
    server: ForkServer, tmp_path: Path, seed: int
) -> None:
    chance = Random(seed)
    with Chain(server, tmp_path / "desk.parti") as chain:
        for _ in range(4):
            fuse = Fuse(chance.randint(3, 60), Moment.AFTER, chance.random() * 0.005, signal=signal.SIGTERM)
            chain.ended(chain.life(publish=8, arrivals=2), fuse, 0)
            states = states_of(tmp_path / "desk.parti")
            assert states[State.RUNNING] == 0, states
        remains, broken = chain.settle()
    assert broken == []
    assert remains.doubts == []
    assert set(remains.intents.values()) == {1}, "a write was started twice"


def test_sigterm_hands_back_a_run_that_does_not_end_in_time_and_its_write_is_in_doubt(
    server: ForkServer, tmp_path: Path
) -> None:
    with Chain(server, tmp_path / "desk.parti") as chain:
        life = replace(chain.life(publish=3, arrivals=0, operator=False), grace=0.1)
        # The outside never answers this payment: the run cannot end.
        chain.ended(life, Fuse(1, Moment.BETWEEN, only="do pay", signal=signal.SIGTERM), 0)
        states = states_of(tmp_path / "desk.parti")
        assert states[State.RUNNING] == 0, states
        assert states[State.QUEUED] >= 1, states
        remains, broken = chain.settle()
    assert broken == []
    assert len(remains.doubts) == 1


def test_a_process_killed_while_it_stops_loses_nothing(server: ForkServer, tmp_path: Path) -> None:
    statuses = []
    with Chain(server, tmp_path / "desk.parti") as chain:
        for kill_at in (1, 2, 3, 5):
            life = chain.life(publish=6, arrivals=0)
            fuse = Fuse(12, Moment.AFTER, signal=signal.SIGTERM, then=Fuse(kill_at, Moment.BETWEEN))
            statuses.append(chain.ended(life, fuse, 0, SIGKILLED))
        _, broken = chain.settle()
    assert broken == []
    assert SIGKILLED in statuses, "each had stopped before it could be killed"
