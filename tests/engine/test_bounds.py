"""What is kept, counted and promised has a bound and an order: the disk first, memory after it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from engine_kit import Order, Play, World, code_of, orders, play, result_of, wait_for_state
from pydantic import BaseModel

import parti
from parti import Overloaded, System
from parti.adapters.virtual import EPOCH, Faults, run_virtual
from parti.engine import retention
from parti.engine.loop import Engine
from parti.engine.pressure import lag_of
from parti.engine.timers import FEW, Timers
from parti.errors import StoreFull
from parti.ports.store import Batch, ModelVersion, State

SLOW = Faults(latency=(0.5, 0.5))


def plain_desk() -> System:
    desk = System("desk")
    desk.topic("orders", Order, key="id")
    return desk


# Events that are kept only so long


def test_an_event_is_kept_until_the_end_of_its_run_is_on_disk_however_old_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "LOOKS", 1.0)
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", retain="2s")
    out = desk.topic("out", Order, key="id")

    @desk.on(topic, to=out)
    async def handle(order: Order) -> Order:
        return order

    async def main(world: World) -> None:
        engine = Engine(
            desk.design, store=world.store, clock=world.clock, chance=world.chance, offload=asyncio.to_thread
        )
        await engine.start(work=False)
        await engine.publish("orders", orders("a", "b"))
        await world.clock.wait(5)
        commit = world.store.commit
        hangs = asyncio.Event()

        async def hanging(batch: Batch) -> Any:
            await hangs.wait()
            return await commit(batch)

        world.store.commit = hanging  # type: ignore[method-assign]
        engine.begin()
        await world.clock.wait(5)
        assert not engine.runs.jobs, "the runs are over, as far as memory knows"
        world.store = world.store.survivor()
        await engine.abandon()
        async with world.running(desk) as live:
            await live.idle()
            assert len(await live.events("out")) == 2

    play(main)


def test_events_that_cannot_be_deleted_for_want_of_room_are_deleted_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retention, "LOOKS", 1.0)
    desk = System("desk")
    desk.topic("orders", Order, key="id", retain="2s")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            expire = world.store.expire

            async def full(*_: object, **__: object) -> int:
                raise StoreFull("P206", "there is no room left")

            world.store.expire = full  # type: ignore[assignment,method-assign]
            await live.publish("orders", orders("a"))
            await asyncio.sleep(10)
            assert not live.engine.failure.done()
            assert len(await live.events("orders")) == 1
            world.store.expire = expire  # type: ignore[method-assign]
            await asyncio.sleep(2)
            assert await live.events("orders") == []

    caplog.set_level(logging.CRITICAL)
    play(main)


# Publishing and retrying once


def test_a_run_that_is_retried_twice_at_once_is_tried_again_once() -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    out = desk.topic("out", Order, key="id")
    broken = [True]

    @desk.on(topic, to=out)
    async def handle(order: Order) -> Order:
        if broken[0]:
            raise ValueError("broken")
        return order

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle(within=1000)
            dead = await wait_for_state(live, State.DEAD)
            broken[0] = False
            first = asyncio.create_task(live.engine.retry(dead.id))
            codes = []
            for pause in (0.01, 0.3, 0.3, 0.3, 0.3):
                await asyncio.sleep(pause)
                codes.append(await code_of(live.engine.retry(dead.id)))
            await first
            assert set(codes) == {"P309"}
            await live.idle()
            assert len(await live.events("out")) == 1

    play(main, faults=SLOW)


def test_a_retry_goes_on_when_who_asked_for_it_gives_up() -> None:
    desk = System("desk")
    broken = [True]

    @desk.on(desk.topic("orders", Order, key="id"))
    async def handle(order: Order) -> None:
        if broken[0]:
            raise ValueError("broken")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            dead = await wait_for_state(live, State.DEAD)
            broken[0] = False
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(live.engine.retry(dead.id), 0.2)
            await wait_for_state(live, State.DONE)

    play(main, faults=SLOW)


def test_events_whose_publisher_gave_up_are_published_once_when_it_asks_again(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(plain_desk()) as live:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(live.publish("orders", orders("a"), idempotency_key="k"), 0.1)
            again = await live.publish("orders", orders("a"), idempotency_key="k")
            assert len(again.positions) == 1
            assert again == await live.publish("orders", orders("a"), idempotency_key="k")
            assert len(await live.events("orders")) == 1

    play(main, faults=SLOW)


def test_a_key_that_was_used_to_publish_something_else_is_refused(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(plain_desk()) as live:
            await live.publish("orders", [b'{"id":"a","amount":1}'], idempotency_key="k")
            assert await code_of(live.publish("orders", orders("b"), idempotency_key="k")) == "P310"
            assert await code_of(live.publish("orders", orders("a", "b"), idempotency_key="k")) == "P310"
            await live.publish("orders", [b'{ "amount": 1, "id": "a" }'], idempotency_key="k")
            assert len(await live.events("orders")) == 1
            assert not live.engine.failure.done()

    in_world(main)


def test_a_publication_that_was_noted_by_an_older_version_is_still_known(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(plain_desk()) as live:
            live.engine.commits.batch.notes["published:main:orders:k"] = b"[[3, 17]]"
            await live.engine.commits.durable()
            assert (await live.publish("orders", orders("a"), idempotency_key="k")).positions == [(3, 17)]
            assert await live.events("orders") == []

    in_world(main)


# What fills a topic


def filling_desk() -> System:
    """Endpoints and a schedule that publish to a topic whose handler never ends."""
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id", backlog=10)

    @desk.on(topic, concurrency=1, timeout="1000h")
    async def handle(order: Order) -> None:
        await asyncio.sleep(10**6)

    @desk.get("/plain")
    async def plain(id: str) -> None:
        await topic.publish(Order(id=id))

    @desk.post("/durable")
    async def durable(id: str) -> None:
        await topic.publish(Order(id=id))

    @desk.every("1m")
    async def tick() -> None:
        await topic.publish(Order(id="same"))

    return desk


def test_a_durable_endpoint_refuses_calls_while_a_topic_it_fills_is_full() -> None:
    async def main(world: World) -> None:
        desk = filling_desk()
        async with world.running(desk, grace=0.1) as live:
            codes = []
            for n in range(400):
                try:
                    await live.call("durable", (f"d{n % 3}",))
                except Overloaded as refused:
                    codes.append((refused.code, refused.retry_after))
            assert len(codes) > 100
            assert set(codes) == {("P503", 5.0)}
            assert lag_of(live.engine, desk.design.by_name["orders"]) <= 10  # type: ignore[arg-type]

    play(main)


def test_plain_publishers_do_not_get_past_the_backlog_of_a_topic_together() -> None:
    async def main(world: World) -> None:
        desk = filling_desk()
        async with world.running(desk, grace=0.1) as live:
            await asyncio.sleep(1)
            asked = [live.engine.answer_plain("plain", (f"p{n % 3}",)) for n in range(400)]
            told = await asyncio.gather(*asked, return_exceptions=True)
            assert sum(isinstance(answer, parti.PartiError) for answer in told) >= 380
            assert lag_of(live.engine, desk.design.by_name["orders"]) <= 10  # type: ignore[arg-type]

    play(main)


def test_a_schedule_leaves_out_ticks_while_a_topic_it_fills_is_full() -> None:
    async def main(world: World) -> None:
        async with world.running(filling_desk(), grace=0.1) as live:
            await asyncio.sleep(60 * 1000)
            assert len(await live.events("orders")) <= 256 + 10 + 1

    play(main)


# Time


def test_a_tick_that_falls_into_a_moment_of_trouble_runs_when_it_is_over() -> None:
    desk = System("desk")
    desk.topic("orders", Order, key="id")
    ticks: list[float] = []

    @desk.every("24h")
    async def nightly() -> None:
        ticks.append(parti.now().timestamp() - EPOCH)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await asyncio.sleep(86400 - 1)
            publishing = asyncio.create_task(live.publish("orders", orders("a")))
            await asyncio.sleep(86400 + 100)
            await publishing
            assert ticks == [pytest.approx(86400, abs=5), pytest.approx(2 * 86400, abs=1)]

    play(main, faults=Faults(latency=(0.001, 0.004), full=((EPOCH + 86400 - 2, EPOCH + 86400 + 0.5),)))


def test_a_timer_that_was_taken_back_makes_no_call_and_leaves_the_heap() -> None:
    called: list[int] = []

    async def main(clock: Any) -> None:
        timers = Timers(clock)
        working = asyncio.create_task(timers.run())
        all_of_them = [timers.at(EPOCH + 1000 - n, lambda n=n: called.append(n)) for n in range(1000)]  # type: ignore[misc]
        for n, timer in enumerate(all_of_them):
            if n % 100:
                timer.cancel()
                timer.cancel()
        assert len(timers) == 10
        assert timers.held <= 2 * (FEW + 10)
        await asyncio.sleep(2000)
        assert called == list(range(900, -1, -100))
        assert (len(timers), timers.held) == (0, 0)
        all_of_them[0].cancel()
        assert len(timers) == 0
        working.cancel()

    run_virtual(main)


def test_a_wait_that_is_over_holds_no_timer() -> None:
    desk = System("desk")

    @desk.post("/go")
    async def go() -> None:
        async with asyncio.timeout(0.01):
            await parti.ask("ann", "Well?", timeout="2d")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await asyncio.gather(*(live.call("go", ()) for _ in range(20)), return_exceptions=True)
            assert len(live.engine.timers) == 0

    play(main)


# Models


class Text(BaseModel):
    """What the model of these tests answers."""

    text: str


class Saying:
    """A scorer that says which version was asked."""

    def __init__(self) -> None:
        self.known: set[tuple[str, int]] = set()

    def loaded(self, name: str, version: int) -> bool:
        return (name, version) in self.known

    def load(self, model: Any, version: ModelVersion, onnx: bytes) -> None:
        self.known.add((model.name, version.version))

    def predict(self, model: Any, version: int, features: Any) -> Text:
        return Text(text=str(version))


def test_a_version_is_served_once_it_is_on_disk_and_two_at_once_get_numbers_of_their_own() -> None:
    desk = System("desk")
    model = desk.model("risk", inputs=Order, output=Text)

    @desk.post("/score")
    async def score() -> str:
        return str((await model.predict(Order(id="a"))).text)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            live.engine.services.scorer = Saying()  # type: ignore[assignment]
            version = ModelVersion("risk", 0, hashlib.sha256(b"x").hexdigest(), b"{}", b"{}", "", 0.0)
            await live.engine.add_version(version, b"x")
            adding = [asyncio.create_task(live.engine.add_version(version, b"x")) for _ in range(2)]
            await asyncio.sleep(0.01)
            assert await result_of(live, "score") == "1"
            assert [(await task).version for task in adding] == [2, 3]
            assert await result_of(live, "score") == "3"

    play(main, faults=SLOW)


# Sources


def test_a_source_that_fails_again_and_again_leaves_no_tasks_behind(caplog: pytest.LogCaptureFixture) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    closed: list[int] = []

    @desk.source(to=topic)
    async def all_orders(position: int) -> AsyncIterator[Any]:
        try:
            while True:
                yield {"id": f"{position}"} if position != 5 else {"nope": 1}
                position += 1
        finally:
            closed.append(position)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await asyncio.sleep(3600)
            assert len(await live.events("orders")) == 5
            assert len(closed) > 50
            assert len(asyncio.all_tasks()) < 12
        assert "failed after position 5" in caplog.text

    caplog.set_level(logging.ERROR)
    play(main)
