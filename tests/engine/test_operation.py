"""The engine on a real file, and what it says about a program that does more than its design shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from engine_kit import Count, Order, Play, World, entries_of, orders, result_of, run, the_run, wait_for_state

import parti
from parti import System
from parti.adapters.virtual import SeededChance, VirtualStore, run_virtual
from parti.engine.loop import Engine
from parti.errors import StoreError
from parti.ports.store import State
from parti.testing import running


def shop(calls: list[str]) -> System:
    """A system with something of everything that is stored."""
    desk = System("shop")
    topic = desk.topic("orders", Order, key="id")
    done = desk.topic("done", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.step()
    async def weigh(order: Order) -> int:
        calls.append(f"weigh {order.id}")
        return order.amount * 2

    @desk.tool(effect="write", key="order.id")
    async def ship(order: Order, weight: int) -> str:
        calls.append(f"ship {order.id}")
        return f"{parti.idempotency_key()}:{weight}"

    @desk.on(topic, to=done)
    async def handle(order: Order) -> Order:
        weight = await weigh(order)
        if await parti.ask("ann", f"Ship {order.id}?"):
            await ship(order, weight)
        row = await book.get(order.id) or Count(id=order.id)
        await book.put(Count(id=order.id, n=row.n + weight))
        return order

    @desk.post("/read")
    async def read(id: str) -> Count | None:
        return await book.get(id)

    return desk


def test_a_system_on_a_file_goes_on_after_a_restart_where_it_was(tmp_path: Path, replay_each: bool) -> None:
    path = tmp_path / "shop.parti"
    calls: list[str] = []

    async def main() -> None:
        async with running(shop(calls), path, replay_each=replay_each) as live:
            await live.publish("orders", orders("a", "b", "b"))
            await live.idle()
            assert len(await live.store.questions()) == 2
        async with running(shop(calls), path, replay_each=replay_each) as live:
            while await live.answer_all(b"true"):
                await live.idle()
            assert await live.rows("book") == {"a": {"id": "a", "n": 0}, "b": {"id": "b", "n": 6}}
            assert len(await live.events("done")) == 3
            assert sorted(calls) == ["ship a", "ship b", "ship b", "weigh a", "weigh b", "weigh b"]
            assert await result_of(live, "read", "b") == {"id": "b", "n": 6}
            assert await live.store.verify() == []

    run(main())


def test_an_engine_that_was_abandoned_on_a_file_leaves_what_the_next_one_needs(
    tmp_path: Path, replay_each: bool
) -> None:
    path = tmp_path / "shop.parti"
    calls: list[str] = []

    async def main() -> None:
        async with running(shop(calls), path, replay_each=replay_each) as live:
            await live.publish("orders", orders("a", "b"))
            await wait_for_state(live, State.WAITING)
            await live.engine.abandon()
        async with running(shop(calls), path, replay_each=replay_each) as live:
            await live.idle()
            await live.answer_all(b"false")
            await live.idle()
            assert len(await live.events("done")) == 2
            assert len(await live.store.runs(state=State.DONE)) == 2

    run(main())


def test_a_part_that_the_design_does_not_show_is_journaled_and_warned_of_once(
    in_world: Play, caplog: pytest.LogCaptureFixture
) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    hidden = desk.topic("hidden", Order, key="id")
    later: dict[str, Callable[[Order], Awaitable[None]]] = {}

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await later["publish"](order)

    async def main(world: World) -> None:
        assert desk.design.arrows_from("handle", "publishes") == []
        later["publish"] = hidden.publish
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "b"))
            await live.idle()
            assert len(await live.events("hidden")) == 2
            met = [
                (entry.part, entry.arguments)
                for record in await live.store.runs()
                for entry in await entries_of(live.store, record.id)
                if entry.kind == "arrow"
            ]
            assert met == [("hidden", "publishes")]
        assert caplog.text.count("`handle` publishes hidden, which its design does not show") == 1

    caplog.set_level(logging.WARNING)
    in_world(main)


def test_a_store_that_fails_ends_the_engine_and_those_who_wait_learn_why(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    done: list[str] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        done.append(order.id)

    @desk.post("/go")
    async def go() -> None:
        return None

    async def main(world: World) -> None:
        async def broken(batch: object) -> None:
            raise StoreError("P205", "the disk is on fire")

        async with world.running(desk, crash=True) as live:
            world.store.commit = broken  # type: ignore[assignment,method-assign]
            with pytest.raises(StoreError, match="on fire"):
                async with asyncio.timeout(60):
                    await live.publish("orders", orders("a"))
            with pytest.raises(StoreError, match="on fire"):
                await live.idle()
            with pytest.raises(StoreError, match="on fire"):
                await live.publish("orders", orders("b"))
        async with world.running(desk, crash=True) as live:
            world.store.commit = broken  # type: ignore[assignment,method-assign]
            with pytest.raises(StoreError, match="on fire"):
                await live.call("go", ())

    in_world(main)


def test_an_engine_that_does_not_work_yet_answers_and_takes_down_but_runs_nothing(in_world: Play) -> None:
    calls: list[str] = []

    async def main(world: World) -> None:
        async with world.running(shop(calls)) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.WAITING)
        engine = Engine(
            shop(calls).design, store=world.store, clock=world.clock, chance=world.chance, offload=asyncio.to_thread
        )
        await engine.start(work=False)
        (question,) = await world.store.questions()
        await engine.answer(question.id, b"true", by="ann")
        await engine.publish("orders", orders("z"))
        await asyncio.sleep(100)
        assert calls == ["weigh a"]
        assert (await world.store.run(question.run)).state is State.QUEUED  # type: ignore[union-attr]
        await engine.stop()
        async with world.running(shop(calls)) as live:
            await live.idle()
            assert "ship a" in calls

    in_world(main)


def test_the_same_seed_plays_the_same_journal_to_the_last_byte() -> None:
    def played() -> list[tuple[int, str, bytes, bytes]]:
        calls: list[str] = []

        async def main(clock):  # type: ignore[no-untyped-def]
            store = VirtualStore(clock, SeededChance("disk"))
            engine = Engine(
                shop(calls).design, store=store, clock=clock, chance=SeededChance("world"), offload=asyncio.to_thread
            )
            await engine.start()
            await engine.publish("orders", orders(*"abcabc"))
            await engine.idle()
            for question in await store.questions():
                await engine.answer(question.id, b"true", by="ann")
            await engine.idle()
            await engine.stop()
            return store.disk.journal

        return run_virtual(main)

    assert played() == played()


def test_the_run_on_record_tells_what_was_done_when_and_how_long_it_took(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.step()
    async def work() -> None:
        await asyncio.sleep(5)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await work()
        await parti.sleep("1h")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            published = world.clock.now()
            await live.publish("orders", orders("a"))
            await live.idle(within=1e5)
            record = await the_run(live)
            assert record.created == pytest.approx(published, abs=0.1)
            assert record.started == pytest.approx(published, abs=0.1)
            assert record.ended == pytest.approx(published + 3605, abs=1)
            if not world.replay_each:
                assert record.busy == pytest.approx(5, abs=1)
            assert record.code == desk.design.digest
            step = next(entry for entry in await entries_of(live.store, record.id) if entry.kind == "step")
            assert step.took == pytest.approx(5, abs=0.01)

    in_world(main)
