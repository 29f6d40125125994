"""However calls come, fail, give up and crash: each gets the answer to its own item, and bounds hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from engine_kit import World, entries_of, play, result_of
from hypothesis import given, settings
from hypothesis import strategies as st

from parti import Batch, StepFailed, System
from parti.journal.entries import Kind
from parti.ports.store import State

MS = 0.001


@dataclass(frozen=True)
class Item:
    """One call: made `delay` ms after its run began, given up after `patience` ms (None: never)."""

    delay: int
    bad: bool = False
    patience: int | None = None


@dataclass(frozen=True)
class Plan:
    """What is called, and how it is served. Times are in milliseconds."""

    runs: tuple[tuple[str, int, tuple[Item, ...]], ...]
    size: int
    linger: int
    service: int
    concurrency: int | None
    replay_each: bool
    crash: int | None


ITEMS = st.builds(
    Item,
    delay=st.integers(0, 12),
    bad=st.integers(0, 9).map(lambda n: n == 0),
    patience=st.none() | st.none() | st.none() | st.integers(1, 15),
)
RUNS = st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.lists(ITEMS, min_size=1, max_size=5).map(tuple))
PLANS = st.builds(
    Plan,
    runs=st.lists(RUNS, min_size=1, max_size=6).map(tuple),
    size=st.integers(1, 4),
    linger=st.integers(0, 10),
    service=st.integers(0, 8),
    concurrency=st.none() | st.integers(1, 2),
    replay_each=st.booleans(),
    crash=st.none() | st.integers(0, 40),
)


@dataclass
class Seen:
    """What the batch function saw."""

    batches: list[list[str]] = field(default_factory=list)
    now: int = 0
    most: int = 0


def a_desk(plan: Plan, seen: Seen) -> System:
    desk = System("desk")

    @desk.step(batch=Batch(plan.size, linger=plan.linger * MS), concurrency=plan.concurrency)
    async def embed(texts: list[str]) -> list[str | ValueError]:
        seen.batches.append(list(texts))
        seen.now += 1
        seen.most = max(seen.most, seen.now)
        try:
            await asyncio.sleep(plan.service * MS)
        finally:
            seen.now -= 1
        return [ValueError(text) if text.endswith("bad") else f"[{text}]" for text in texts]

    @desk.post("/go", key="key", timeout="1h")
    async def go(key: str, run: int) -> list[str]:
        async def one(number: int, item: Item) -> str:
            await asyncio.sleep(item.delay * MS)
            try:
                async with asyncio.timeout(None if item.patience is None else item.patience * MS):
                    return await embed(name_of(run, number, item))
            except TimeoutError:
                return "gave up"
            except StepFailed as failure:
                return f"{failure.kind} {failure.what.rpartition(' ')[2]}"

        return await asyncio.gather(*[one(*numbered) for numbered in enumerate(plan.runs[run][2])])

    return desk


def name_of(run: int, number: int, item: Item) -> str:
    return f"{run}.{number}" + ("bad" if item.bad else "")


async def call_all(world: World, live: Any, plan: Plan) -> list[list[str]]:
    async def one(number: int, key: str, start: int) -> Any:
        await world.clock.wait(start * MS)
        return await result_of(live, "go", key, number, idempotency_key=str(number))

    return await asyncio.gather(*[one(number, key, start) for number, (key, start, _) in enumerate(plan.runs)])


async def played(world: World, plan: Plan, seen: Seen) -> list[list[str]]:
    desk = a_desk(plan, seen)
    if plan.crash is not None:
        async with world.running(desk, crash=True) as live:
            asking = asyncio.ensure_future(call_all(world, live, plan))
            await world.clock.wait(plan.crash * MS)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        seen.now = 0
    async with world.running(desk) as live:
        answers = await call_all(world, live, plan)
        await live.idle()
        assert {run.state for run in await live.store.runs()} == {State.DONE}
        return answers


@settings(max_examples=150, deadline=None)
@given(PLANS)
def test_each_call_gets_its_own_answer_in_any_interleaving(plan: Plan) -> None:
    seen = Seen()

    async def main(world: World) -> None:
        answers = await played(world, plan, seen)
        for run, (answered, (_, _, items)) in enumerate(zip(answers, plan.runs, strict=True)):
            for number, (answer, item) in enumerate(zip(answered, items, strict=True)):
                name = name_of(run, number, item)
                allowed = {f"ValueError {name}" if item.bad else f"[{name}]"}
                assert answer in allowed | ({"gave up"} if item.patience is not None else set())
        assert all(1 <= len(batch) == len(set(batch)) <= plan.size for batch in seen.batches)
        assert seen.most <= (plan.concurrency or 10**9)
        await check_journals(world, plan, seen)

    play(main, replay_each=plan.replay_each)


async def check_journals(world: World, plan: Plan, seen: Seen) -> None:
    """Nothing is served twice that need not be, and what is journaled of each call is true."""
    served = Counter(text for batch in seen.batches for text in batch)
    again = 1 + (plan.crash is not None)
    for run, (_, _, items) in enumerate(plan.runs):
        steps = [entry for entry in await entries_of(world.store, f"go:{run}") if entry.kind in (Kind.STEP, Kind.FAIL)]
        assert len({entry.arguments[0] for entry in steps}) == len(steps), "one entry a call"
        for entry in steps:
            assert 1 <= entry.batch <= plan.size
            assert entry.took == pytest.approx(plan.service * MS, abs=1e-5)
            if plan.concurrency is None:
                assert entry.waited <= plan.linger * MS + 1e-5
        for number, item in enumerate(items):
            if item.patience is None:
                assert 1 <= served[name_of(run, number, item)] <= again


@pytest.mark.parametrize("replay_each", [False, True])
@pytest.mark.parametrize("crash", range(0, 30, 2))
def test_a_crash_at_any_moment_changes_no_answer(crash: int, replay_each: bool) -> None:
    items = tuple(Item(delay=number) for number in range(4))
    plan = Plan((("a", 0, items), ("b", 3, items), ("a", 1, items)), 3, 2, 4, 1, replay_each, crash)
    seen = Seen()

    async def main(world: World) -> None:
        answers = await played(world, plan, seen)
        assert answers == [[f"[{run}.{number}]" for number in range(4)] for run in range(3)]
        await check_journals(world, plan, seen)

    play(main, replay_each=replay_each)
