"""How many runs of an endpoint may be open, and what callers are told when there is no more room."""

from __future__ import annotations

import asyncio

import pytest
from engine_kit import Order, Play, World, code_of, orders, play, wait_for_state, wait_until

import parti
from parti import System
from parti.adapters.virtual import EPOCH, Faults
from parti.engine import calls
from parti.ports.store import State


def plain_desk() -> System:
    desk = System("desk")
    desk.topic("orders", Order, key="id")
    return desk


def test_a_run_counts_against_its_endpoint_until_it_ends_also_when_its_caller_was_told_it_is_late() -> None:
    desk = System("desk")

    @desk.step(timeout="1h")
    async def work() -> None:
        await asyncio.sleep(100)

    @desk.post("/go", timeout="5s", concurrency=2)
    async def go() -> None:
        try:
            await work()
        finally:
            await asyncio.sleep(50)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            calling = [asyncio.create_task(live.call("go", ())) for _ in range(2)]
            await asyncio.sleep(0.5)
            for task in calling:
                task.cancel()
            await asyncio.sleep(0.5)
            assert len(live.engine.runs.jobs) == 2
            assert await code_of(live.call("go", ())) == "P503"
            await wait_until(live, lambda: not live.engine.runs.jobs)
            assert live.engine.active_calls == {"go": 0}

    play(main)


def test_a_run_that_waits_for_people_leaves_room_for_others_up_to_a_bound_of_its_own(
    in_world: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "SET_ASIDE_MAX", 3)
    desk = System("desk")

    @desk.post("/apply", timeout="1m", concurrency=1)
    async def apply(id: str) -> bool:
        return bool(await parti.ask("ann", id))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            calling = []
            for n in range(3):
                calling.append(asyncio.create_task(live.call("apply", (f"{n}",))))
                await wait_until(live, lambda n=n: live.engine.aside_calls["apply"] == n + 1)  # type: ignore[misc]
            assert await code_of(live.call("apply", ("more",))) == "P503"
            await live.answer_all(b"true")
            await asyncio.gather(*calling)
            assert (live.engine.active_calls, live.engine.aside_calls) == ({"apply": 0}, {"apply": 0})
            for task in [asyncio.create_task(live.call("apply", ("left",)))]:
                await wait_for_state(live, State.WAITING)
                task.cancel()
        async with world.running(desk) as live:
            assert live.engine.aside_calls == {"apply": 1}, "those that were left open count after a restart"

    in_world(main)


def test_callers_who_still_wait_when_the_engine_stops_are_told_so(in_world: Play) -> None:
    desk = System("desk")

    @desk.post("/apply", timeout="1h")
    async def apply(id: str) -> bool:
        return bool(await parti.ask("ann", id))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            calling = asyncio.create_task(live.call("apply", ("x",), idempotency_key="k"))
            await wait_for_state(live, State.WAITING)
            await live.engine.stop(1)
            assert await code_of(asyncio.wait_for(calling, 10)) == "P503"
        async with world.running(desk) as live:
            calling = asyncio.create_task(live.call("apply", ("x",), idempotency_key="k"))
            await live.answer_all(b"true")
            assert (await calling).result == b"true"

    in_world(main)


def test_a_run_cannot_be_cancelled_while_nothing_can_be_written() -> None:
    async def main(world: World) -> None:
        async with world.running(plain_desk()) as live:
            await asyncio.sleep(2)
            publishing = asyncio.create_task(live.publish("orders", orders("a")))
            await wait_until(live, lambda: bool(live.engine.trouble))
            assert await code_of(live.engine.cancel("any")) == "P206"
            await publishing

    play(main, faults=Faults(full=((EPOCH + 1, EPOCH + 5),)))
