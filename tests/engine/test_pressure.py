"""Back-pressure: every queue has a bound, and a full disk loses nothing."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from engine_kit import Count, Order, Play, World, code_of, orders, play, result_of, run

import parti
from parti import Overloaded, System
from parti.adapters.virtual import EPOCH, Faults
from parti.engine import commits
from parti.ports.store import State
from parti.wiring import new_engine, open_store

FULL_FOR_A_MINUTE = Faults(latency=(0.001, 0.004), full=((EPOCH + 10, EPOCH + 70),))


def test_a_handler_reads_no_further_ahead_than_its_window_however_much_waits(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    most: list[int] = []
    done: list[int] = []

    @desk.step()
    async def work(amount: int) -> None:
        await asyncio.sleep(0.1)

    @desk.on(topic, concurrency=50)
    async def handle(order: Order) -> None:
        await work(order.amount)
        done.append(order.amount)

    async def main(world: World) -> None:
        if world.replay_each:
            return
        async with world.running(desk) as live:
            await live.publish("orders", orders(*(f"o{n}" for n in range(5000))))
            while len(done) < 5000:
                await asyncio.sleep(0.05)
                subscription = live.engine.runs.subscriptions["handle"]
                most.append(len(live.engine.runs.jobs))
                assert subscription.loaded <= subscription.window
                assert subscription.active <= 50
            assert 200 < max(most) <= 256 + 50
            await live.idle()
            assert len(set(done)) == len(done) == 5000

    in_world(main)


def test_publishing_beyond_the_backlog_of_a_topic_is_refused_and_possible_again_later(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", backlog=100)
    gate = asyncio.Event()

    @desk.on(topic, concurrency=1)
    async def handle(order: Order) -> None:
        await gate.wait()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders(*["a"] * 90))
            with pytest.raises(Overloaded) as refused:
                await live.publish("orders", orders(*["b"] * 20))
            assert refused.value.code == "P503"
            assert "holds 100" in refused.value.what
            assert await code_of(live.publish("orders", orders(*["b"] * 101))) == "P503"
            await live.publish("orders", orders(*["b"] * 10))
            gate.set()
            await live.idle()
            await live.publish("orders", orders(*["b"] * 100))
            await live.idle()
            assert len(await live.events("orders")) == 200

    in_world(main)


def test_publishers_at_once_do_not_get_past_the_backlog_together(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", backlog=100)

    @desk.on(topic, concurrency=1)
    async def handle(order: Order) -> None:
        await asyncio.sleep(1000)

    async def main(world: World) -> None:
        async with world.running(desk, grace=0.1) as live:
            published = await asyncio.gather(
                *(live.publish("orders", orders(*"x" * 30)) for _ in range(20)), return_exceptions=True
            )
            assert sum(isinstance(outcome, Overloaded) for outcome in published) == 17
            assert len(await live.events("orders")) == 90

    in_world(main)


def test_new_work_waits_while_too_much_waits_for_the_disk(in_world: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "RECORDS_MAX", 50)
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Count, key="id")
    most: list[int] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await book.put(Count(id=order.id))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders(*(f"o{n}" for n in range(500))))
            commit = world.store.commit

            async def slow(batch):  # type: ignore[no-untyped-def]
                await asyncio.sleep(1)
                most.append(len(batch.runs))
                return await commit(batch)

            world.store.commit = slow  # type: ignore[method-assign]
            await live.idle(within=1000)
            assert len(await live.rows("book")) == 500
            assert max(most) < 50 + 64 + 256

    in_world(main)


def test_a_full_disk_refuses_what_is_new_and_loses_nothing_of_what_was_begun(
    replay_each: bool, caplog: pytest.LogCaptureFixture
) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Count, key="id")
    posted: list[str] = []

    @desk.step()
    async def work() -> None:
        await asyncio.sleep(8)

    @desk.tool(effect="write", key="letter")
    async def post(letter: str) -> None:
        posted.append(letter)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await work()
        await post(order.id)
        await book.put(Count(id=order.id))

    @desk.post("/go")
    async def go() -> int:
        return 1

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await asyncio.sleep(5)
            await live.publish("orders", orders("a", "b"))
            await asyncio.sleep(15)
            assert posted == [], "no effect outside before its intent is on disk"
            for refused in (live.call("go", ()), live.publish("orders", orders("c")), live.engine.retry("x")):
                assert await code_of(refused) == "P206"
            assert live.engine.trouble.startswith("there is no room left")
            await asyncio.sleep(60)
            assert live.engine.trouble == ""
            await live.idle()
            assert posted == ["a", "b"]
            assert sorted(await live.rows("book")) == ["a", "b"]
            assert await result_of(live, "go") == 1
            assert await live.store.verify() == []
        assert caplog.text.count("there is no room left") == 1
        assert "the store has room again" in caplog.text

    caplog.set_level(logging.WARNING)
    play(main, replay_each=replay_each, faults=FULL_FOR_A_MINUTE)


def test_a_question_whose_deadline_passes_while_the_disk_is_full_expires_all_the_same(replay_each: bool) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.step()
    async def work() -> None:
        await asyncio.sleep(10)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await work()
        assert await parti.ask("ann", "Well?", timeout="10s", default="late", answer=str) == "late"

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await asyncio.sleep(5)
            await live.publish("orders", orders("a"))
            await asyncio.sleep(120)
            (record,) = await live.store.runs()
            assert record.state is State.DONE

    play(main, replay_each=replay_each, faults=FULL_FOR_A_MINUTE)


def test_a_system_can_be_stopped_while_the_disk_is_full_and_goes_on_with_what_was_confirmed(replay_each: bool) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.step()
    async def work() -> None:
        await asyncio.sleep(8)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await work()
        await book.put(Count(id=order.id))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await asyncio.sleep(5)
            await live.publish("orders", orders("a"))
            await asyncio.sleep(12)
            stopped = world.clock.now()
        assert world.clock.now() - stopped < 26
        await asyncio.sleep(60)
        async with world.running(desk) as live:
            await live.idle()
            assert list(await live.rows("book")) == ["a"]

    play(main, replay_each=replay_each, faults=FULL_FOR_A_MINUTE)


def test_a_full_file_refuses_calls_and_goes_on_once_there_is_room(tmp_path: Path, replay_each: bool) -> None:
    desk = System("desk")
    book = desk.table("book", Count, key="id")

    class Page(Count):
        text: str = ""

    pages = desk.table("pages", Page, key="id")

    @desk.post("/write", key="id", timeout="1m")
    async def write(id: str, text: str) -> None:
        await pages.put(Page(id=id, text=text))

    async def main() -> None:
        assert book
        store = open_store(tmp_path / "small.parti", max_pages=120)
        engine = new_engine(desk.design, store, replay_each=replay_each)
        await engine.start()
        answered: list[str] = []
        under_way: asyncio.Task[object] | None = None
        for n in range(100):
            under_way = asyncio.create_task(engine.call("write", (f"p{n}", "x" * 20_000), idempotency_key=f"k{n}"))
            await asyncio.wait([under_way], timeout=0.3)
            if not under_way.done():
                break
            answered.append(f"p{n}")
        assert under_way is not None
        assert not under_way.done()
        with pytest.raises(Overloaded) as refused:
            await engine.call("write", ("other", ""), idempotency_key="other")
        assert (refused.value.code, refused.value.retry_after > 0) == ("P206", True)
        await store.limit_pages(100_000)
        await under_way
        await engine.call("write", ("other", ""), idempotency_key="other")
        stored = [key for key, _ in await store.rows("pages", "main", after="", limit=1000)]
        assert set(stored) == {*answered, f"p{len(answered)}", "other"}
        assert len(answered) > 2
        await engine.stop()
        assert await store.verify() == []
        await store.close()

    run(main())
