"""Cancelling: a person ends a run wherever it stands."""

from __future__ import annotations

import asyncio

from engine_kit import (
    Order,
    Play,
    World,
    code_of,
    failing_desk,
    orders,
    the_run,
    wait_for_state,
)

import parti
from parti import Retry, System
from parti.ports.store import State


def test_a_run_at_work_can_be_cancelled(in_world: Play) -> None:
    desk = System("desk")
    kept = desk.topic("kept", Order, key="id")

    @desk.step()
    async def work() -> None:
        await asyncio.sleep(1000)

    @desk.post("/go", timeout="1h")
    async def go() -> None:
        await kept.publish(Order(id="a"))
        await work()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            calling = asyncio.create_task(code_of(live.call("go", (), idempotency_key="k")))
            await wait_for_state(live, State.RUNNING)
            assert (await live.engine.cancel("go:k")).state is State.CANCELLED
            assert await calling == "P311"
            assert await live.events("kept") == []
            assert await code_of(live.engine.cancel("go:k")) == "P309"
            assert await code_of(live.engine.cancel("nobody")) == "P308"
            assert await code_of(live.call("go", (), idempotency_key="k")) == "P311"

    in_world(main)


def test_a_run_can_be_cancelled_in_the_moment_it_begins(in_world: Play) -> None:
    desk = System("desk")
    called: list[int] = []

    @desk.post("/go")
    async def go() -> None:
        called.append(1)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            calling = asyncio.create_task(code_of(live.call("go", (), idempotency_key="k")))
            await asyncio.sleep(0)
            assert (await live.engine.cancel("go:k")).state is State.CANCELLED
            assert await calling == "P311"
            assert called == []

    in_world(main)


def test_a_run_that_waits_can_be_cancelled_and_its_key_goes_on(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    done: list[int] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        if order.amount == 0:
            await parti.ask("ann", "Well?")
        done.append(order.amount)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "a"))
            waiting = await wait_for_state(live, State.WAITING)
            await live.engine.cancel(waiting.id)
            await live.idle()
            assert done == [1]
            assert await live.events("orders.dead") == []
            subscription = live.engine.runs.subscriptions["handle"]
            assert (subscription.loaded, subscription.aside, subscription.active) == (0, 0, 0)

    in_world(main)


def test_a_run_in_line_can_be_cancelled_and_the_others_keep_their_turns(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", partitions=1)
    done: list[int] = []

    @desk.step()
    async def work(amount: int) -> None:
        await asyncio.sleep(10)

    @desk.on(topic, concurrency=1)
    async def handle(order: Order) -> None:
        await work(order.amount)
        done.append(order.amount)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "a", "b", "a"))
            await asyncio.sleep(1)
            await live.engine.cancel("handle:orders:0:1")
            await live.engine.cancel("handle:orders:0:2")
            await live.idle()
            assert done == [0, 3]
            subscription = live.engine.runs.subscriptions["handle"]
            assert (subscription.loaded, subscription.aside, subscription.active) == (0, 0, 0)

    in_world(main)


def test_a_cancelled_run_stays_cancelled_after_a_restart(in_world: Play) -> None:
    tries: list[float] = []

    async def main(world: World) -> None:
        desk = failing_desk(tries, retry=Retry(5, first="10h", longest="10h"))
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            record = await wait_for_state(live, State.BACKOFF)
            await live.engine.cancel(record.id)
        async with world.running(desk) as live:
            await live.idle()
            assert (await the_run(live)).state is State.CANCELLED
            assert len(tries) == 1

    in_world(main)
