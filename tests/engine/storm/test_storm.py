"""The engine in a virtual world of crashes, duplicates, late people and bad disks: what is promised holds in each."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from parti.engine import writes
from parti.engine.commits import After, Commits
from parti.engine.lanes import Lanes
from parti.engine.recorded import Recorded
from parti.engine.rows import Overlay
from parti.engine.subscription import Subscription
from parti.journal.entries import Entry, Kind
from parti.ports.store import Receipt

from .storm import storm

SEEDS = 1000
PART = 50
LONG = 20_000


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_a_storm_loses_nothing_doubles_nothing_and_keeps_order(first: int) -> None:
    results = [storm(seed) for seed in range(first, first + PART)]
    assert sum(result.crashes for result in results) > PART // 2, "the storms were too mild"
    seen = sum((result.seen for result in results), Counter())
    assert min(seen[what] for what in ("expired", "retried", "errands done", "errands cancelled")) > 0, seen


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_a_storm_in_which_every_run_replays_after_each_step_ends_the_same_way(first: int) -> None:
    assert all(storm(seed, replay_each=True).runs for seed in range(first, first + 25))


@pytest.mark.parametrize("seed", range(0, 30, 3))
def test_the_same_seed_gives_a_byte_identical_journal(seed: int) -> None:
    assert storm(seed).journal == storm(seed).journal


def test_different_seeds_give_different_journals() -> None:
    assert storm(1).journal != storm(2).journal


async def _no_fence(*_: object) -> None:
    return


def _all_at_once(self: Lanes[object], key: object, item: object) -> bool:
    Lanes_enter(self, key, item)
    return True


Lanes_enter = Lanes.enter


def _forgets_writes(self: Recorded, entry: Entry, attempt: int) -> None:
    if entry.kind not in (Kind.INTENT, Kind.DONE):
        Recorded_add(self, entry, attempt)


Recorded_add = Recorded.add


def _no_overlay(self: Overlay, key: object) -> tuple[bool, None]:
    return False, None


def _marks_all(self: Subscription, topic: str, partition: int, offset: int) -> None:
    """Every event that was read counts, whether or not its run is on record."""
    self.partitions[partition].watermark.low = self.partitions[partition].position
    self.dirty.add(partition)


def _answers_early(self: Commits, after: After) -> None:
    """Those who wait for a run's end hear of it before it is on disk."""
    if isinstance(after, partial) and getattr(after.func, "__name__", "") == "ended":
        asyncio.get_running_loop().call_soon(after, Receipt(0, ()))
        self.touch(0)
    else:
        Commits_then(self, after)


Commits_then = Commits.then

CANARIES: dict[str, tuple[Any, str, Any, str]] = {
    "a write is not fenced": (writes, "_fence", _no_fence, r"was (paid|stamped|shipped) \d+ times"),
    "keys are not kept in line": (Lanes, "enter", _all_at_once, "is in the hands of"),
    "journaled writes are forgotten": (Recorded, "add", _forgets_writes, r"was (paid|stamped|shipped) \d+ times"),
    "the next run of a key does not see its predecessor's rows": (
        Overlay, "get", _no_overlay, "should have|points",
    ),
    "the cursor passes events without a run on record": (Subscription, "mark", _marks_all, "has no run, or two"),
    "an end is acknowledged before it is on disk": (
        Commits, "then", _answers_early, "a repeated key got another answer",
    ),
}  # fmt: skip
"""What is planted where, and the promise that the storm must find broken."""


@pytest.mark.parametrize("bug", CANARIES)
def test_a_planted_bug_makes_the_storm_fail_for_its_own_reason(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, planted, promise = CANARIES[bug]
    monkeypatch.setattr(owner, name, planted)
    with pytest.raises(AssertionError, match=promise):
        for seed in range(200):
            storm(seed)


@pytest.mark.storm
@pytest.mark.parametrize("first", range(SEEDS, LONG, 500))
def test_a_long_storm(first: int) -> None:
    assert all(storm(seed).runs for seed in range(first, first + 500))
