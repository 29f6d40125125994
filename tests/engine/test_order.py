"""Order and turns: one key is worked on by one run at a time, in the order of its events."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from engine_kit import Count, Order, Play, World, orders, the_run, wait_for_state, wait_until

import parti
from parti import Retry, System
from parti.ports.store import State


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
