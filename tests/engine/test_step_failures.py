"""Steps that fail, take too long or answer what does not fit."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import pytest
from engine_kit import Order, Play, World, kinds_of, orders, result_of, run, the_run

import parti
from parti import Retry, StepFailed, System
from parti.testing import running


def test_a_step_that_takes_too_long_fails_with_p303(in_world: Play) -> None:
    desk = System("desk")

    @desk.step(timeout="5s")
    async def slow() -> None:
        await asyncio.sleep(6)

    @desk.post("/go")
    async def go() -> str:
        try:
            await slow()
        except StepFailed as failure:
            return f"{failure.code} {failure.kind}"
        return "no"

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == "P303 TimeoutError"

    in_world(main)


def test_a_timeout_that_the_function_itself_raised_is_its_own_failure(in_world: Play) -> None:
    desk = System("desk")

    @desk.step(timeout="1h")
    async def connect() -> None:
        raise TimeoutError("the host did not answer")

    @desk.post("/go")
    async def go() -> str:
        try:
            await connect()
        except StepFailed as failure:
            return f"{failure.code} {failure.what}"
        return "no"

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == "P302 `connect` raised TimeoutError: the host did not answer"

    in_world(main)


def test_a_step_is_tried_again_as_its_retry_says_and_each_wait_is_longer(in_world: Play) -> None:
    desk = System("desk")
    tries: list[float] = []

    @desk.step(retry=Retry(4, first="10s"))
    async def flaky() -> int:
        tries.append(asyncio.get_running_loop().time())
        if len(tries) < 4:
            raise ConnectionError("refused")
        return len(tries)

    @desk.post("/go", timeout="10m")
    async def go() -> int:
        return await flaky()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == 4
            waits = [after - before for before, after in pairwise(tries)]
            assert all(0 < wait <= limit for wait, limit in zip(waits, (10, 20, 40), strict=True))
            assert await kinds_of(live.store, (await the_run(live)).id) == ["step"]

    in_world(main)


class Declined(Exception):
    """What a failing tool of these tests raises."""


def test_a_failure_that_the_handler_catches_is_raised_the_same_way_in_every_replay(in_world: Play) -> None:
    desk = System("desk")
    tries: list[str] = []
    caught: set[str] = set()

    @desk.tool(effect="read", retry=Retry(2, first="1s"))
    async def score(name: str) -> int:
        tries.append(name)
        raise Declined(f"no {name}")

    @desk.step()
    async def note(text: str) -> str:
        return text

    @desk.post("/go")
    async def go() -> str:
        try:
            await score("ann")
        except StepFailed as failure:
            caught.add(f"{failure.code} {failure.kind} {failure.what}")
            return await note(failure.kind)
        return "no"

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == f"{__name__}.Declined"
            assert caught == {f"P302 {__name__}.Declined `score` raised {__name__}.Declined: no ann"}
            assert tries == ["ann", "ann"]

    in_world(main)


def test_sync_functions_run_beside_the_event_loop() -> None:
    desk = System("desk")
    turns: list[int] = []

    @desk.step()
    def block(seconds: float) -> int:
        time.sleep(seconds)
        return len(turns)

    @desk.post("/go")
    def go(seconds: float) -> str:
        time.sleep(seconds)
        return "done"

    @desk.post("/steps")
    async def steps() -> int:
        return await block(0.05)

    async def main() -> None:
        async def tick() -> None:
            while True:
                turns.append(1)
                await asyncio.sleep(0.001)

        async with running(desk) as live:
            ticking = asyncio.create_task(tick())
            assert await result_of(live, "steps") > 5
            assert await result_of(live, "go", 0.01) == "done"
            ticking.cancel()

    run(main())


def test_a_sync_step_may_ask_for_the_time_and_for_ids(in_world: Play) -> None:
    desk = System("desk")

    @desk.step()
    def stamp() -> str:
        return f"{parti.now()} {parti.uuid()}"

    @desk.post("/go")
    async def go() -> bool:
        return await stamp() != await stamp()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") is True

    in_world(main)


def test_an_unserialisable_argument_sends_the_event_to_the_dead_letters_at_once(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    tries: list[int] = []

    @desk.step()
    async def ship(order: Order) -> None:
        return None

    @desk.on(topic)
    async def handle(order: Order) -> None:
        tries.append(1)
        await ship(object())  # type: ignore[arg-type]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            (letter,) = await live.events("orders.dead")
            assert letter["code"] == "P401"
            assert letter["attempts"] == len(tries) == 1

    in_world(main)


@pytest.mark.parametrize("answer", [object(), float("nan"), "text"])
def test_an_answer_that_does_not_fit_its_type_sends_the_event_to_the_dead_letters_at_once(
    in_world: Play, answer: Any
) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    tries: list[int] = []

    @desk.step()
    async def weigh() -> float:
        return answer  # type: ignore[no-any-return]

    @desk.on(topic)
    async def handle(order: Order) -> None:
        tries.append(1)
        await weigh()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            (letter,) = await live.events("orders.dead")
            assert letter["code"] == "P401"
            assert len(tries) == 1

    in_world(main)


def test_an_unserialisable_value_inside_a_task_group_is_final_as_well(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    tries: list[int] = []

    @desk.step()
    async def ship(order: Order) -> None:
        return None

    @desk.on(topic)
    async def handle(order: Order) -> None:
        tries.append(1)
        async with asyncio.TaskGroup() as group:
            group.create_task(ship(object()))  # type: ignore[arg-type]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            (letter,) = await live.events("orders.dead")
            assert (letter["code"], len(tries)) == ("P401", 1)

    in_world(main)
