"""Schedules, sources, stopping and going on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from engine_kit import Order, Play, World, kinds_of, orders, the_run, wait_for_state, wait_until

import parti
from parti import Retry, System
from parti.adapters.virtual import EPOCH
from parti.ports.store import State


def ticking_desk(ticks: list[float], slow: float = 0.0) -> System:
    desk = System("desk")

    @desk.step(timeout="2h")
    async def work() -> None:
        await asyncio.sleep(slow)

    @desk.every("1h", timeout="2h")
    async def tick() -> None:
        await work()
        ticks.append((parti.now() - datetime.fromtimestamp(EPOCH, UTC)).total_seconds())

    return desk


def test_a_schedule_ticks_at_whole_multiples_of_its_interval(in_world: Play) -> None:
    ticks: list[float] = []

    async def main(world: World) -> None:
        async with world.running(ticking_desk(ticks)) as live:
            await asyncio.sleep(3 * 3600 + 10)
            assert [round(at) for at in ticks] == [3600, 7200, 10800]
            records = await live.store.runs(part="tick")
            assert [record.id for record in records] == [f"tick:{int(EPOCH / 3600) + n}" for n in (3, 2, 1)]
            assert {record.state for record in records} == {State.DONE}

    in_world(main)


def test_a_tick_during_which_the_run_before_is_still_open_is_left_out(in_world: Play) -> None:
    ticks: list[float] = []

    async def main(world: World) -> None:
        async with world.running(ticking_desk(ticks, slow=500)) as live:
            await asyncio.sleep(3600 + 100)
            assert len(await live.store.runs()) == 1
        ticks.clear()
        async with world.running(ticking_desk(ticks, slow=4000)) as live:
            await asyncio.sleep(4 * 3600)
            assert len(ticks) == 2

    in_world(main)


def test_of_the_ticks_missed_while_down_only_the_latest_runs(in_world: Play) -> None:
    ticks: list[float] = []

    async def main(world: World) -> None:
        async with world.running(ticking_desk(ticks)):
            await asyncio.sleep(1000)
        await asyncio.sleep(5 * 3600)
        async with world.running(ticking_desk(ticks)):
            await asyncio.sleep(100)
            assert len(ticks) == 1
            await asyncio.sleep(3600)
            assert len(ticks) == 2

    in_world(main)


def test_a_tick_that_fails_is_tried_again_and_ends_dead(in_world: Play) -> None:
    desk = System("desk")
    tries: list[int] = []

    @desk.every("1d", retry=Retry(3, first="1s"))
    async def tick() -> None:
        tries.append(1)
        raise ValueError("no")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await asyncio.sleep(86_400 + 60)
            assert ((await the_run(live)).state, len(tries)) == (State.DEAD, 3)

    in_world(main)


def test_a_tick_cut_off_by_a_crash_goes_on_with_its_journal(in_world: Play) -> None:
    desk = System("desk")
    calls: list[int] = []

    @desk.step()
    async def work(n: int) -> None:
        calls.append(n)
        await asyncio.sleep(10)

    @desk.every("1h")
    async def tick() -> None:
        await work(1)
        await work(2)

    async def main(world: World) -> None:
        async with world.running(desk, crash=True):
            await asyncio.sleep(3600 + 15)
        async with world.running(desk) as live:
            await wait_for_state(live, State.DONE)
            assert calls == [1, 2, 2]

    in_world(main)


def read_orders(position: int) -> Iterator[Order]:
    yield from (Order(id=f"o{n % 10}", amount=n) for n in range(position, 1000))


def test_a_source_is_published_whole_and_once(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    desk.source(to=topic)(read_orders)
    seen: list[int] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        seen.append(order.amount)

    async def main(world: World) -> None:
        for _ in range(2):
            async with world.running(desk) as live:
                await live.idle()
                assert len(await live.events("orders")) == 1000
                assert sorted(seen) == list(range(1000))

    in_world(main)


def test_a_source_is_read_on_after_a_crash_where_it_was_left(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    desk.source(to=topic, per_second=100)(read_orders)

    async def main(world: World) -> None:
        for _ in range(4):
            async with world.running(desk, crash=True):
                await asyncio.sleep(1.003)
        async with world.running(desk) as live:
            await live.idle()
            events = await live.events("orders")
            assert sorted(event["amount"] for event in events) == list(range(1000))

    in_world(main)


def test_a_source_keeps_its_rate(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    desk.source(to=topic, per_second=20)(read_orders)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await asyncio.sleep(10)
            assert 170 <= len(await live.events("orders")) <= 202

    in_world(main)


def test_events_of_a_live_source_are_published_as_they_come(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    seen: list[int] = []

    @desk.source(to=topic)
    async def sensor(position: int) -> AsyncIterator[Order]:
        for n in range(position, 100):
            yield Order(id="s", amount=n)
            await asyncio.sleep(60)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        seen.append(order.amount)

    async def main(world: World) -> None:
        async with world.running(desk):
            await asyncio.sleep(150)
            assert seen == [0, 1, 2]
        async with world.running(desk):
            await asyncio.sleep(90)
            assert seen == [0, 1, 2, 3, 4]

    in_world(main)


def test_a_source_that_fails_is_read_on_and_disturbs_nobody(in_world: Play, caplog: pytest.LogCaptureFixture) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    opened: list[int] = []

    @desk.source(to=topic)
    def flaky(position: int) -> Iterator[Order]:
        opened.append(position)
        for n in range(position, 10):
            if n == 5 and len(opened) < 4:
                raise ConnectionError("the line is dead")
            yield Order(id="x", amount=n)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.idle()
            assert [event["amount"] for event in await live.events("orders")] == list(range(10))
            assert opened == [0, 5, 5, 5]
        assert "ConnectionError: the line is dead" in caplog.text

    in_world(main)


def test_a_source_waits_for_a_topic_whose_backlog_is_full(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", partitions=1, backlog=50)
    desk.source(to=topic)(read_orders)
    most: list[int] = []

    @desk.step()
    async def work(order: Order) -> None:
        await asyncio.sleep(0.01)

    @desk.on(topic, concurrency=1)
    async def handle(order: Order) -> None:
        await work(order)
        most.append(order.amount)

    async def main(world: World) -> None:
        if world.replay_each:
            return
        async with world.running(desk) as live:
            await live.idle(within=1000)
            assert len(most) == 1000

    in_world(main)


def test_stopping_lets_short_runs_finish_and_hands_back_long_ones(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    calls: list[str] = []

    @desk.step(timeout="1h")
    async def work(id: str, seconds: float) -> str:
        calls.append(f"{id} {seconds}")
        await asyncio.sleep(seconds)
        return id

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await work(order.id, 1)
        await work(order.id, 5 if order.id == "short" else 500)

    async def main(world: World) -> None:
        async with world.running(desk, grace=10) as live:
            await live.publish("orders", orders("short", "long"))
            await asyncio.sleep(3)
            begun = world.clock.now()
        assert world.clock.now() - begun < 11
        states = {run.key: run.state for run in await world.store.runs()}
        assert states == {"short": State.DONE, "long": State.QUEUED}
        async with world.running(desk) as live:
            await live.idle(within=1000)
            assert calls.count("long 1") == 1, "the journal answers what was done"
            assert calls.count("long 500") == 2
            assert {run.state for run in await live.store.runs()} == {State.DONE}

    in_world(main)


def test_a_stopping_system_begins_nothing_new(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    begun: list[str] = []

    @desk.step()
    async def work(name: str) -> None:
        begun.append(name)
        await asyncio.sleep(5)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await work(f"event {order.amount}")

    @desk.post("/go", key="order.id")
    async def go(order: Order) -> None:
        await work(f"call {order.amount}")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "a"))
            calls = [asyncio.create_task(live.call("go", (Order(id="c", amount=n),))) for n in range(2)]
            await asyncio.sleep(1)
        assert sorted(begun) == ["call 0", "event 0"]
        for call in calls:
            call.cancel()
        async with world.running(desk) as live:
            await live.idle()
            assert "event 1" in begun

    in_world(main)


def test_a_waiting_run_is_put_away_at_once_when_the_system_stops(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await parti.sleep("1d")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await wait_until(live, lambda: any(job.activation for job in live.engine.runs.jobs.values()))
            stopped = world.clock.now()
        assert world.clock.now() - stopped < 1
        (record,) = await world.store.runs()
        assert record.state is State.WAITING
        assert "sleep" in await kinds_of(world.store, record.id)

    in_world(main)


def test_open_runs_of_a_handler_that_is_gone_wait_until_it_is_back(
    in_world: Play, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def declare(with_handler: bool) -> System:
        desk = System("desk")
        topic = desk.topic("orders", Order, key="id")
        if with_handler:

            @desk.on(topic)
            async def handle(order: Order) -> None:
                await parti.sleep("1h")
                done.append(order.id)

        return desk

    async def main(world: World) -> None:
        async with world.running(declare(True)) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.WAITING)
        async with world.running(declare(False)) as live:
            await live.idle()
            assert "1 open runs of `handle` wait" in caplog.text
        async with world.running(declare(True)) as live:
            await live.idle(within=1e5)
            assert done == ["a"]

    in_world(main)


def test_an_open_run_of_a_topic_its_handler_no_longer_reads_hides_no_event_of_the_new_one(in_world: Play) -> None:
    done: list[str] = []

    def declare(name: str) -> System:
        desk = System("desk")
        one = desk.topic("one", Order, key="id", partitions=1)
        two = desk.topic("two", Order, key="id", partitions=1)

        @desk.on(one if name == "one" else two)
        async def handle(order: Order) -> None:
            if order.id == "first":
                await parti.sleep("1h")
            done.append(order.id)

        return desk

    async def main(world: World) -> None:
        async with world.running(declare("one")) as live:
            await live.publish("one", orders("first"))
            await wait_for_state(live, State.WAITING)
        async with world.running(declare("two"), crash=True) as live:
            await live.publish("two", orders("second"))
            await live.idle(within=1e5)
        async with world.running(declare("two")) as live:
            await live.idle(within=1e5)
            assert sorted(done) == ["first", "second"]
            assert {run.state for run in await live.store.runs()} == {State.DONE}

    in_world(main)
