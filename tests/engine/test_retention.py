"""What has ended is kept as long as was declared, and then leaves nothing behind; what is open stays whole."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from engine_kit import LATENCY, Count, Order, Outside, World, code_of, orders, play, result_of, wait_for_state
from pydantic import BaseModel
from pydantic_core import to_json

from parti import StepFailed, System, ask, sleep
from parti.engine import retention
from parti.ports.store import OUTSIDE_FROM, Batch, State


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LOOKS", 1.0)


def a_desk() -> System:
    desk = System("desk", retain="10s")
    topic = desk.topic("orders", Order, key="id", retain="10s")
    book = desk.table("book", Count, key="id")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        row = await book.get(order.id) or Count(id=order.id)
        if order.amount < 0:
            await ask("teller", f"Take {order.id}?")
        await book.put(Count(id=order.id, n=row.n + 1))

    @desk.post("/greet")
    async def greet(name: str) -> str:
        await sleep("10ms")
        return f"hello {name}"

    return desk


def test_a_run_is_forgotten_with_all_that_is_its_own() -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:
            await live.publish("orders", [b'{"id":"a","amount":-1}'], idempotency_key="p")
            await wait_for_state(live, State.WAITING)
            await live.answer_all(b"true")
            await live.idle()
            await live.call("greet", ["ann"], idempotency_key="k")
            await asyncio.sleep(30)
            disk = world.store.disk
            assert (disk.runs, disk.questions) == ({}, {})
            assert not [note for note in disk.notes if note.startswith("publish")]
            assert len(disk.journal) < 10, "of the journal, gaps and the latest records of the store's own are left"
            assert await live.rows("book") == {"a": {"id": "a", "n": 1}}, "rows are no part of a run"
            assert await world.store.verify() == []

    play(main)


def test_a_forgotten_key_may_be_used_again() -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:

            async def ask_twice() -> list[bool]:
                return [(await live.call("greet", ["ann"], idempotency_key="k")).repeated for _ in range(2)]

            assert await ask_twice() == [False, True]
            first = await live.publish("orders", orders("a"), idempotency_key="p")
            assert await live.publish("orders", orders("a"), idempotency_key="p") == first
            await asyncio.sleep(30)
            assert await ask_twice() == [False, True]
            assert (await live.publish("orders", orders("a"), idempotency_key="p")).positions != first.positions

    play(main)


def test_a_run_that_is_open_keeps_its_journal_however_old_it_is() -> None:
    desk, outside = System("desk", retain="10s"), Outside()

    @desk.step()
    async def look() -> int:
        outside.calls += 1
        return outside.calls

    @desk.post("/long", timeout="10m")
    async def long() -> int:
        seen = await look()
        await sleep("2m")
        return seen

    @desk.post("/short")
    async def short() -> None:
        await look()

    async def main(world: World) -> None:
        async with world.running(desk, crash=True) as live:
            asked = asyncio.ensure_future(live.call("long", [], idempotency_key="k"))
            await asyncio.sleep(0.1)
            for _ in range(60):
                await live.call("short", [])
                await asyncio.sleep(1)
            asked.cancel()
        assert len(world.store.disk.runs) < 20
        async with world.running(desk) as live:
            assert await result_of(live, "long", idempotency_key="k") == 1
            assert await world.store.verify() == []

    play(main)


def test_with_retain_none_everything_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LOOKS", 1e7)
    desk = System("desk", retain=None)

    @desk.post("/greet")
    async def greet() -> None:
        pass

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.call("greet", [])
            await asyncio.sleep(1e9)
            assert len(world.store.disk.runs) == 1

    play(main)


def a_dying_desk(outside: Outside) -> System:
    desk = System("desk", retain="10s")

    @desk.tool(effect="write", key="id")
    async def post(id: str) -> None:
        outside.posted.append(id)

    @desk.step()
    async def work() -> None:
        outside.calls += 1
        if outside.calls == 1:
            raise ValueError("not yet")

    @desk.post("/pay")
    async def pay(id: str) -> None:
        await post(id)
        await work()

    return desk


def test_a_dead_run_that_is_put_back_in_line_is_not_forgotten_meanwhile() -> None:
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(a_dying_desk(outside)) as live:
            with pytest.raises(StepFailed):
                await live.call("pay", ["a"], idempotency_key="k")
            commit, slow = world.store.commit, asyncio.Event()

            async def slowly(batch: Batch) -> Any:
                if any(run.state is State.QUEUED for run in batch.runs.values()):
                    await slow.wait()
                return await commit(batch)

            world.store.commit = slowly  # type: ignore[method-assign]
            retried = asyncio.ensure_future(live.engine.retry("pay:k"))
            await asyncio.sleep(30)
            await retention._forget(live.engine, world.clock.now())
            assert "pay:k" in world.store.disk.runs
            slow.set()
            await retried
            await live.idle()
            assert (await live.call("pay", ["a"], idempotency_key="k")).repeated
            assert outside.posted == ["a"], "its journal was there: the write was not made again"

    play(main)


def test_a_run_that_is_being_forgotten_cannot_be_put_back_in_line() -> None:
    outside = Outside()

    async def main(world: World) -> None:
        async with world.running(a_dying_desk(outside)) as live:
            with pytest.raises(StepFailed):
                await live.call("pay", ["a"], idempotency_key="k")
            forget, slow = world.store.forget, asyncio.Event()

            async def slowly(**options: Any) -> bool:
                if options["before"] > world.store.disk.runs["pay:k"].ended:
                    await slow.wait()
                return await forget(**options)

            world.store.forget = slowly  # type: ignore[method-assign]
            await asyncio.sleep(30)
            retried = asyncio.ensure_future(code_of(live.engine.retry("pay:k")))
            await asyncio.sleep(1)
            assert not retried.done()
            slow.set()
            assert await retried == "P308"
            assert outside.posted == ["a"]

    play(main)


def test_the_store_does_not_grow_with_what_is_long_over() -> None:
    async def main(world: World) -> None:
        sizes = []
        async with world.running(a_desk()) as live:
            for number in range(60):
                await live.publish("orders", orders(f"a{number % 3}"), idempotency_key=f"p{number}")
                await live.call("greet", ["ann"], idempotency_key=f"g{number}")
                await asyncio.sleep(1)
                disk = world.store.disk
                sizes.append(len(disk.journal) + len(disk.runs) + len(disk.notes) + len(disk.questions))
        assert max(sizes[40:]) <= max(sizes[20:40]) + 5, sizes

    play(main)


LARGE = "x" * (2 * OUTSIDE_FROM)


class Note(BaseModel):
    """An event or a row as large as one likes."""

    id: str
    text: str


def test_large_values_pass_everywhere_and_lie_once_in_the_store(replay_each: bool) -> None:
    desk = System("desk", retain="10s")

    @desk.step()
    async def double(note: Note) -> str:
        return note.text + note.text

    topic = desk.topic("orders", Note, key="id", retain="10s")
    copies = desk.topic("copies", Note, key="id", retain="10s")
    book = desk.table("book", Note, key="id")

    @desk.on(topic, to=copies)
    async def handle(note: Note) -> Note:
        assert await double(note) == note.text + note.text
        await sleep("1s")
        await book.put(note)
        return note

    @desk.post("/echo")
    async def echo(text: str) -> str:
        return text

    async def main(world: World) -> None:
        async with world.running(desk, crash=True) as live:
            await live.publish("orders", [to_json({"id": id, "text": LARGE + id}) for id in "ab"])
            await asyncio.sleep(0.5)
        async with world.running(desk) as live:
            await live.idle()
            assert await result_of(live, "echo", LARGE, idempotency_key="k") == LARGE
            assert await result_of(live, "echo", LARGE, idempotency_key="k") == LARGE
            assert sorted(event["text"] for event in await live.events("copies")) == [LARGE + "a", LARGE + "b"]
            assert {key: row["text"] for key, row in (await live.rows("book")).items()} == {
                id: LARGE + id for id in "ab"
            }
            disk = world.store.disk
            assert all(len(event.payload) < 100 for content in disk.streams.values() for event in content.events)
            assert await world.store.verify() == []
            before = len(disk.blobs)
            await asyncio.sleep(30)
            assert len(disk.blobs) == 2 < before, "two rows are left"
            assert await world.store.verify() == []

    play(main, replay_each=replay_each, faults=LATENCY)
