"""Events and rows: what a run leaves behind commits with it, once, in the order of its key."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest
from engine_kit import Count, Order, Play, World, code_of, orders, result_of, the_run, wait_for_state, wait_until

import parti
from parti import Retry, System
from parti.ports.store import Batch, State


def test_what_a_handler_returns_and_publishes_and_writes_is_there_once_it_is_done(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    kept = desk.topic("kept", Order, key="id")
    other = desk.topic("other", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.on(topic, to=kept)
    async def handle(order: Order) -> Order:
        await other.publish(Order(id="x", amount=order.amount))
        await book.put(Count(id=order.id, n=order.amount))
        return order

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "b"))
            await live.idle()
            kept_events = sorted(await live.events("kept"), key=lambda event: event["id"])
            assert kept_events == [{"id": "a", "amount": 0}, {"id": "b", "amount": 1}]
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


def test_the_next_run_of_a_key_sees_what_the_one_before_wrote_even_before_it_is_on_disk(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Count, key="id")

    @desk.step()
    async def think(amount: int) -> None:
        await asyncio.sleep(0.0005 * (amount % 7))

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await think(order.amount)
        row = await book.get(order.id) or Count(id=order.id)
        await book.put(Count(id=order.id, n=row.n + 1))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders(*"abc" * 100))
            await live.idle()
            assert {key: row["n"] for key, row in (await live.rows("book")).items()} == dict.fromkeys("abc", 100)

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


def test_a_key_in_backoff_holds_its_successors_while_other_keys_go_on(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", partitions=1)
    done: list[str] = []

    @desk.on(topic, retry=Retry(3, first="1h", longest="1h"))
    async def handle(order: Order) -> None:
        if order.amount == 0:
            raise ValueError("not yet")
        done.append(f"{order.id}{order.amount}")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "b", "a", "c"))
            await wait_until(live, lambda: len(done) == 2)
            assert sorted(done) == ["b1", "c3"]
            await live.idle(within=1e6)
            assert done[2:] == ["a2"], "the successor goes on once the first is dead"

    in_world(main)


def test_a_hot_key_in_backoff_does_not_stop_other_keys_however_many_stand_behind_it(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", partitions=1)
    done: list[str] = []

    @desk.on(topic, retry=Retry(3, first="1h", longest="1h"), concurrency=4)
    async def handle(order: Order) -> None:
        if order.amount == 0:
            raise ValueError("not yet")
        done.append(order.id)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders(*["hot"] * 1000, "cold"))
            await wait_until(live, lambda: bool(done))
            assert done == ["cold"]
            await live.idle(within=1e6)
            assert len(done) == 1000
            subscription = live.engine.runs.subscriptions["handle"]
            assert (subscription.loaded, subscription.aside, subscription.active) == (0, 0, 0)

    in_world(main)


def test_events_of_one_key_keep_their_order_through_failures_and_retries(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    ended: dict[str, list[int]] = defaultdict(list)
    at_work: set[str] = set()
    tries: dict[int, int] = defaultdict(int)

    @desk.step()
    async def think(amount: int) -> None:
        await asyncio.sleep(0.001 * (amount * 7 % 5))

    @desk.on(topic, retry=Retry(5, first="10ms"))
    async def handle(order: Order) -> None:
        tries[order.amount] += 1
        await think(order.amount)
        if tries[order.amount] < order.amount % 4:
            raise ValueError("again")
        ended[order.id].append(order.amount)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders(*"abcd" * 25))
            await live.idle()
            assert not at_work
            assert all(amounts == sorted(amounts) and len(amounts) == 25 for amounts in ended.values())
            assert len(ended) == 4

    in_world(main)


def test_one_key_of_handlers_that_share_a_table_is_never_in_two_hands(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    returns = desk.topic("returns", Order, key="id")
    book = desk.table("book", Count, key="id")
    at_work: dict[str, int] = defaultdict(int)
    most: list[int] = []

    @desk.step()
    async def think(id: str) -> None:
        at_work[id] += 1
        most.append(sum(at_work.values()))
        assert at_work[id] == 1
        await asyncio.sleep(0.01)
        at_work[id] -= 1

    async def change(order: Order, by: int) -> None:
        row = await book.get(order.id) or Count(id=order.id)
        await think(order.id)
        await book.put(Count(id=order.id, n=row.n + by))

    @desk.on(topic)
    async def sell(order: Order) -> None:
        await change(order, 1)

    @desk.on(returns)
    async def take_back(order: Order) -> None:
        await change(order, 1000)

    async def main(world: World) -> None:
        assert desk.design.groups["sell"] == desk.design.groups["take_back"]
        async with world.running(desk) as live:
            await asyncio.gather(
                live.publish("orders", orders(*"ab" * 10)), live.publish("returns", orders(*"ab" * 10))
            )
            await live.idle()
            assert {row["n"] for row in (await live.rows("book")).values()} == {10_010}
            assert max(most) == 2

    in_world(main)


def test_handlers_without_a_common_table_work_on_one_key_at_the_same_time(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    begun: set[str] = set()

    async def meet(name: str) -> None:
        begun.add(name)
        while len(begun) < 2:
            await asyncio.sleep(0.01)

    @desk.on(topic)
    async def one(order: Order) -> None:
        await meet("one")

    @desk.on(topic)
    async def two(order: Order) -> None:
        await meet("two")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert begun == {"one", "two"}

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


def test_work_that_a_failed_attempt_left_under_way_ends_before_the_next_one_begins(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    posted: list[str] = []
    tries: list[int] = []

    @desk.tool(effect="write", key="letter")
    async def post(letter: str) -> str:
        await asyncio.sleep(5)
        posted.append(letter)
        return letter

    @desk.step()
    async def fail() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("once")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await asyncio.gather(post(order.id), fail())

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert (await the_run(live)).state is State.DONE
            assert posted == ["a"]
            assert await live.store.questions() == []

    in_world(main)


def test_work_left_behind_by_a_run_that_ended_cannot_bring_it_back(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    posted: list[str] = []

    @desk.tool(effect="write", key="letter")
    async def post(letter: str) -> str:
        await asyncio.sleep(5)
        posted.append(letter)
        return letter

    async def in_background(letter: str) -> None:
        await post(letter)
        await post(f"{letter} again")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        task = asyncio.create_task(in_background(order.id))
        await asyncio.sleep(1)
        assert not task.done()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            await asyncio.sleep(60)
            assert posted == ["a"], "what had begun was let finish, nothing else was begun"
            assert (await the_run(live)).state is State.DONE

    in_world(main)


def test_successors_keep_their_order_behind_a_run_that_slept_through_a_crash(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    done: list[int] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        if order.amount == 0:
            await parti.sleep("1h")
        done.append(order.amount)

    async def main(world: World) -> None:
        async with world.running(desk, crash=True) as live:
            await live.publish("orders", orders("a", "a", "a"))
            await wait_for_state(live, State.WAITING)
            await asyncio.sleep(5)
        async with world.running(desk) as live:
            await live.idle(within=1e6)
            assert done == [0, 1, 2]

    in_world(main)


def test_an_event_is_kept_past_its_retention_while_a_run_still_needs_it(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", partitions=1, retain="1h")
    done: list[int] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        if order.amount == 0:
            await parti.sleep("1d")
        done.append(order.amount)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "b"))
            await asyncio.sleep(7200)
            assert (await live.store.ends())["orders", 0] == (0, 2)
            await live.publish("orders", orders("x", "c"))
            await live.idle(within=1e6)
            assert sorted(done) == [0, 0, 1, 1]
            await asyncio.sleep(7200)
            assert (await live.store.ends())["orders", 0] == (4, 4)

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
