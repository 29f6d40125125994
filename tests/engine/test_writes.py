"""Writes: effects outside are fenced, and made once for each key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from engine_kit import (
    Order,
    Outside,
    Play,
    World,
    code_of,
    entries_of,
    kinds_of,
    orders,
    result_of,
    the_run,
)

import parti
from parti import NotDone, Retry, StepFailed, System
from parti.ports.store import Batch, State


def test_the_intent_is_on_disk_before_a_write_and_its_answer_before_the_run_goes_on(in_world: Play) -> None:
    desk = System("desk")
    seen: dict[str, list[str]] = {}
    stored: Callable[[], Any]

    @desk.step()
    async def think() -> int:
        return 1

    @desk.tool(effect="write", key="letter")
    async def post(letter: str) -> str:
        seen["during"] = await stored()
        return letter

    @desk.post("/go")
    async def go() -> None:
        await think()
        await post("a")
        seen["after"] = await stored()

    async def main(world: World) -> None:
        nonlocal stored

        async def on_disk() -> list[str]:
            return await kinds_of(world.store, "go:k")

        stored = on_disk
        async with world.running(desk) as live:
            await live.call("go", (), idempotency_key="k")
            assert seen == {"during": ["step", "intent"], "after": ["step", "intent", "done"]}

    in_world(main)


def test_steps_without_effect_outside_wait_for_no_disk(in_world: Play) -> None:
    desk = System("desk")

    @desk.step()
    async def think(n: int) -> int:
        return n

    @desk.post("/go")
    async def go() -> int:
        return sum([await think(n) for n in range(50)])

    async def main(world: World) -> None:
        commits: list[Batch] = []
        commit = world.store.commit

        async def spy(batch: Batch) -> Any:
            commits.append(batch)
            return await commit(batch)

        async with world.running(desk) as live:
            world.store.commit = spy  # type: ignore[method-assign]
            await live.call("go", ())
            if not world.replay_each:
                assert len(commits) == 1

    in_world(main)


def test_the_tool_may_ask_for_its_idempotency_key(in_world: Play) -> None:
    desk = System("desk")

    @desk.tool(effect="write", key="order.id")
    async def post(order: Order, times: int = 1) -> str:
        return parti.idempotency_key()

    @desk.post("/go")
    async def go() -> str:
        return await post(Order(id='it"s\n'))

    @desk.post("/outside")
    async def outside() -> str:
        return parti.idempotency_key()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == 'it"s\n'
            assert await code_of(live.call("outside", ())) == "P301"

    in_world(main)


def test_a_key_used_again_with_the_same_arguments_gives_the_first_answer(in_world: Play) -> None:
    desk = System("desk")
    outside = Outside()

    @desk.tool(effect="write", key="letter")
    async def post(letter: str) -> int:
        outside.calls += 1
        return outside.calls

    @desk.post("/go")
    async def go() -> list[int]:
        return [await post("a"), await post("b"), await post("a")]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == [1, 2, 1]

    in_world(main)


def test_a_key_used_again_with_other_arguments_is_refused_with_p310(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    outside = Outside()

    @desk.tool(effect="write", key="letter")
    async def post(letter: str, text: str) -> None:
        outside.posted.append(text)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await post("a", "one")
        await post("a", "two")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("x"))
            await live.idle()
            (letter,) = await live.events("orders.dead")
            assert (letter["code"], letter["attempts"]) == ("P310", 1)
            assert outside.posted == ["one"]

    in_world(main)


def test_two_calls_at_once_with_one_key_have_one_effect(in_world: Play) -> None:
    desk = System("desk")
    outside = Outside()

    @desk.tool(effect="write", key="letter")
    async def post(letter: str) -> int:
        outside.calls += 1
        await asyncio.sleep(1)
        return outside.calls

    @desk.post("/go")
    async def go() -> list[int]:
        return list(await asyncio.gather(post("a"), post("a"), post("b")))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            first, second, other = await result_of(live, "go")
            assert first == second
            assert outside.calls == 2
            assert other in (1, 2)

    in_world(main)


def test_a_write_that_was_answered_is_not_made_again_when_the_handler_is_retried(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    outside = Outside()
    tries: list[int] = []

    @desk.tool(effect="write", key="letter")
    async def post(letter: str) -> None:
        outside.posted.append(letter)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await post(order.id)
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("again")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert outside.posted == ["a"]
            assert (await the_run(live)).state is State.DONE

    in_world(main)


def test_not_done_says_that_nothing_happened_and_the_write_may_be_tried_again(in_world: Play) -> None:
    desk = System("desk")
    outside = Outside()

    @desk.tool(effect="write", key="letter", idempotent=True, retry=Retry(3, first="1s"))
    async def post(letter: str) -> int:
        outside.calls += 1
        if outside.calls < 3:
            raise NotDone("the office is closed")
        return outside.calls

    @desk.post("/go")
    async def go() -> int:
        return await post("a")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == 3
            kinds = [entry.kind for entry in await entries_of(live.store, (await the_run(live)).id)]
            assert kinds == ["intent", "undone", "intent", "undone", "intent", "done"]

    in_world(main)


def test_not_done_in_a_tool_that_may_not_be_repeated_is_a_failure_and_no_doubt(in_world: Play) -> None:
    desk = System("desk")
    outside = Outside()
    caught: set[str] = set()
    ways: list[str] = []

    @desk.tool(effect="write", key="letter")
    async def post(letter: str) -> int:
        outside.calls += 1
        if outside.calls == 1:
            raise NotDone("the office is closed")
        return outside.calls

    @desk.step()
    async def note(text: str) -> str:
        ways.append(text)
        return text

    @desk.post("/go")
    async def go() -> int:
        try:
            return await post("a")
        except StepFailed as failure:
            caught.add(failure.kind)
        await note("tried once")
        answer = await post("a")
        await note("posted")
        return answer

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == 2
            assert caught == {"parti.errors.NotDone"}
            assert ways == ["tried once", "posted"]
            assert await live.store.questions() == []

    in_world(main)


def test_a_doubt_that_comes_after_the_function_failed_parks_the_run_and_is_asked_about(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.tool(effect="write", key="id")
    async def post(id: str) -> None:
        await asyncio.sleep(1)
        raise ConnectionError("cut")

    @desk.step()
    async def bad() -> None:
        raise ValueError("bad")

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        await asyncio.gather(post(order.id), bad())

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert (await the_run(live)).state is State.PARKED
            assert await live.answer_all(b'{"happened": true}') == 1
            await live.idle()
            assert (await the_run(live)).state is State.DEAD

    in_world(main)


def test_two_writes_that_end_in_doubt_at_once_are_each_asked_about_once(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    calls: list[str] = []

    @desk.tool(effect="write", key="id")
    async def post(id: str, seconds: float) -> None:
        calls.append(id)
        await asyncio.sleep(seconds)
        raise ConnectionError("cut")

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        await asyncio.gather(post("x", 1), post("y", 2))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert len(await live.store.questions()) == 2
            while await live.answer_all(b'{"happened": true}'):
                await live.idle()
            assert (await the_run(live)).state is State.DONE
            assert sorted(calls) == ["x", "y"]

    in_world(main)


def test_what_concurrent_branches_read_of_the_runs_own_row_stays_the_same_after_a_crash(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Order, key="id")
    seen: list[int] = []

    @desk.step()
    async def work(seconds: int) -> None:
        await asyncio.sleep(seconds)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        async def writes() -> None:
            await work(2)
            await book.put(Order(id=order.id, amount=99))

        async def reads() -> int:
            await work(1)
            row = await book.get(order.id)
            return row.amount if row else 0

        _, amount = await asyncio.gather(writes(), reads())
        seen.append(amount)
        await work(50)

    async def main(world: World) -> None:
        async with world.running(desk, crash=True) as live:
            await live.publish("orders", orders("a"))
            await asyncio.sleep(20)
        async with world.running(desk) as live:
            await live.idle(3600)
            assert set(seen) == {0}

    in_world(main)
