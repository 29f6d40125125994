"""Events and rows: what a run leaves behind commits with it, once."""

from __future__ import annotations

import asyncio

import pytest
from engine_kit import Count, Order, Play, World, code_of, orders, result_of, the_run

import parti
from parti import System
from parti.ports.store import Batch, State


def test_what_a_handler_returns_and_publishes_and_writes_is_there_once_it_is_done(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    kept = desk.topic("kept", Order, key="id")
    other = desk.topic("other", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.on(topic, to=kept)
    async def handle(order: Order) -> Order | None:
        await other.publish(Order(id="x", amount=order.amount))
        await book.put(Count(id=order.id, n=order.amount))
        return order if order.amount else None

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "b"))
            await live.idle()
            assert await live.events("kept") == [{"id": "b", "amount": 1}], "None publishes nothing"
            assert sorted(event["amount"] for event in await live.events("other")) == [0, 1]
            assert await live.rows("book") == {"a": {"id": "a", "n": 0}, "b": {"id": "b", "n": 1}}

    in_world(main)


def test_events_rows_and_the_end_of_the_run_are_in_one_commit(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    kept = desk.topic("kept", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.step()
    async def think() -> None:
        await asyncio.sleep(1)

    @desk.on(topic, to=kept)
    async def handle(order: Order) -> Order:
        await book.put(Count(id=order.id))
        await think()
        return order

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            seen: list[tuple[int, int, int]] = []
            commit = world.store.commit

            async def spy(batch: Batch):  # type: ignore[no-untyped-def]
                done = sum(run.state is State.DONE for run in batch.runs.values())
                seen.append((done, len(batch.rows), sum(event.topic == "kept" for event in batch.events)))
                return await commit(batch)

            world.store.commit = spy  # type: ignore[method-assign]
            await live.publish("orders", orders("a", "b", "c"))
            await live.idle()
            assert all(done == rows == events for done, rows, events in seen)
            assert sum(done for done, _, _ in seen) == 3

    in_world(main)


def test_a_handler_that_fails_publishes_and_writes_nothing(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    kept = desk.topic("kept", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.on(topic, retry=2)
    async def handle(order: Order) -> None:
        await kept.publish(order)
        await book.put(Count(id=order.id))
        raise ValueError("no")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert await live.events("kept") == []
            assert await live.rows("book") == {}

    in_world(main)


def test_an_attempt_that_succeeds_leaves_nothing_of_the_failed_ones(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    kept = desk.topic("kept", Order, key="id")
    tries: list[int] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await kept.publish(order)
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("no")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert len(await live.events("kept")) == 1
            assert (await the_run(live)).attempt == 3

    in_world(main)


def test_a_run_sees_its_own_writes_in_get_and_scan(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Count, key="id")
    seen: list[list[int | None]] = []

    @desk.step()
    async def think() -> None:
        return None

    @desk.on(topic)
    async def handle(order: Order) -> None:
        before = await book.get(order.id)
        await book.put(Count(id=order.id, n=7))
        row = await book.get(order.id)
        rows = await book.scan()
        await book.delete(order.id)
        await think()
        gone, none = await book.get(order.id), await book.scan()
        await book.put(Count(id=order.id, n=8))
        assert row
        seen.append([before and before.n, row.n, len(rows), gone and gone.n, len(none)])

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert seen[-1] == [None, 7, 1, None, 0]
            assert await live.rows("book") == {"a": {"id": "a", "n": 8}}

    in_world(main)


def test_a_scan_sees_rows_that_are_not_on_disk_yet_and_pages_by_key(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", partitions=1)
    book = desk.table("book", Count, key="id")
    pages: dict[str, list[str]] = {}

    @desk.on(topic, concurrency=1)
    async def handle(order: Order) -> None:
        pages[order.id] = [row.id for row in await book.scan(after="b", limit=2)]
        await book.put(Count(id=order.id))
        if order.id == "d":
            await book.delete("d")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("b", "f", "d", "c", "e", "z"))
            await live.idle()
            assert pages == {"b": [], "f": [], "d": ["f"], "c": ["f"], "e": ["c", "f"], "z": ["c", "e"]}

    in_world(main)


def test_writing_the_row_of_another_key_is_refused_with_p305(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        if order.id == "put":
            await book.put(Count(id="other"))
        await book.delete("other")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("put", "delete"))
            await live.idle()
            letters = await live.events("orders.dead")
            assert [(letter["code"], letter["attempts"]) for letter in letters] == [("P305", 1)] * 2

    in_world(main)


def test_an_event_that_does_not_fit_is_refused_with_its_place_and_none_is_published(in_world: Play) -> None:
    desk = System("desk")
    desk.topic("orders", Order, key="id")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            with pytest.raises(parti.PartiError, match="event 1: amount of Order") as refused:
                await live.publish("orders", [b'{"id":"a"}', b'{"id":"b","amount":"x"}'])
            assert refused.value.code == "P402"
            assert await live.events("orders") == []

    in_world(main)


def test_an_event_published_twice_with_one_idempotency_key_is_stored_once(in_world: Play) -> None:
    desk = System("desk")
    desk.topic("orders", Order, key="id")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            both = await asyncio.gather(
                *(live.publish("orders", orders("a", "b"), idempotency_key="k") for _ in range(2))
            )
            assert both[0].positions == both[1].positions
        async with world.running(desk) as live:
            again = await live.publish("orders", orders("a", "b"), idempotency_key="k")
            assert again.positions == both[0].positions
            assert len(await live.events("orders")) == 2

    in_world(main)


def test_a_publisher_that_goes_away_before_its_answer_disturbs_nobody(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    done: list[str] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        done.append(order.id)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            publishing = asyncio.create_task(live.publish("orders", orders("a")))
            keyed = asyncio.create_task(live.publish("orders", orders("b"), idempotency_key="k"))
            await asyncio.sleep(0)
            publishing.cancel()
            keyed.cancel()
            await live.publish("orders", orders("c"))
            await live.idle()
            assert sorted(done) == ["a", "b", "c"]

    in_world(main)


def test_an_event_that_the_handler_makes_and_that_does_not_fit_is_final(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    kept = desk.topic("kept", Order, key="id")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await kept.publish({"amount": 1})  # type: ignore[arg-type]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            (letter,) = await live.events("orders.dead")
            assert (letter["code"], letter["attempts"]) == ("P402", 1)

    in_world(main)


def test_endpoints_with_a_key_write_the_row_of_that_key(in_world: Play) -> None:
    desk = System("desk")
    book = desk.table("book", Count, key="id")

    @desk.post("/add", key="order.id")
    async def add(order: Order) -> int:
        row = await book.get(order.id) or Count(id=order.id)
        await book.put(Count(id=order.id, n=row.n + order.amount))
        return row.n + order.amount

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await asyncio.gather(*(live.call("add", (Order(id="a", amount=2),)) for _ in range(20)))
            assert await live.rows("book") == {"a": {"id": "a", "n": 40}}
            assert await result_of(live, "add", Order(id="b", amount=1)) == 1

    in_world(main)


def test_rows_and_events_of_one_tenant_are_out_of_reach_of_another(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        row = await book.get(order.id) or Count(id=order.id)
        await book.put(Count(id=order.id, n=row.n + 1))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "a"), tenant="one")
            await live.publish("orders", orders("a"), tenant="two")
            await live.idle()
            assert await live.rows("book") == {}
            assert (await live.rows("book", "one"))["a"]["n"] == 2
            assert (await live.rows("book", "two"))["a"]["n"] == 1

    in_world(main)


def test_a_plain_call_reads_only_what_is_committed_and_may_not_write(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await book.put(Count(id=order.id))

    @desk.get("/read/{id}")
    async def read(id: str) -> Count | None:
        return await book.get(id)

    @desk.get("/write")
    async def write() -> None:
        await book.put(Count(id="x"))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert await live.engine.answer_plain("read", ["a"]) == b'{"id":"a","n":0}'
            assert await live.engine.answer_plain("read", ["b"]) == b"null"
            assert await code_of(live.engine.answer_plain("write", [])) == "P301"

    in_world(main)
