"""Writes in doubt are settled by the tool or by a person, never repeated in silence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from engine_kit import (
    Order,
    Outside,
    Play,
    World,
    code_of,
    orders,
    the_run,
    wait_for_state,
    wait_until,
)

import parti
from parti import Retry, System
from parti.ports.store import State


def doubtful(desk: System, outside: Outside, **options: Any) -> None:
    """Declare a handler whose first call of `post` breaks after the letter is in the box."""
    topic = desk.topic("orders", Order, key="id")
    done = desk.topic("done", Order, key="id")

    @desk.tool(effect="write", key="order.id", **options)
    async def post(order: Order) -> int:
        outside.calls += 1
        outside.posted.append(order.id)
        if outside.calls == 1:
            raise ConnectionError("the line went dead")
        return outside.calls

    @desk.on(topic)
    async def handle(order: Order) -> None:
        number = await post(order)
        await done.publish(Order(id=order.id, amount=number))


def test_an_error_in_a_write_that_may_not_be_repeated_parks_the_run_and_asks_the_operator(in_world: Play) -> None:
    desk, outside = System("desk"), Outside()
    doubtful(desk, outside)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert (await the_run(live)).state is State.PARKED
            (question,) = await live.store.questions()
            assert question.who == "operator"
            assert question.text == (
                "`post` with the key 'a' was cut off (ConnectionError: the line went dead). Did it happen?"
            )

    in_world(main)


@pytest.mark.parametrize("restart", [False, True])
def test_the_operators_word_that_it_happened_is_the_answer_of_the_write(in_world: Play, restart: bool) -> None:
    desk, outside = System("desk"), Outside()
    doubtful(desk, outside)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            if not restart:
                await live.answer_all(b'{"happened":true,"result":41}')
                await live.idle()
        async with world.running(desk) as live:
            if restart:
                assert await live.answer_all(b'{"happened":true,"result":41}') == 1
                await live.idle()
            assert await live.events("done") == [{"id": "a", "amount": 41}]
            assert outside.posted == ["a"]
            assert (await the_run(live)).state is State.DONE

    in_world(main)


def test_the_operators_word_that_it_did_not_happen_lets_the_write_be_made(in_world: Play) -> None:
    desk, outside = System("desk"), Outside()
    doubtful(desk, outside)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            await live.answer_all(b'{"happened":false}')
            await live.idle()
            assert await live.events("done") == [{"id": "a", "amount": 2}]
            assert outside.calls == 2

    in_world(main)


@pytest.mark.parametrize("word", [b'{"happened":true,"result":"many"}', b'{"happened":true}', b'{"result":1}', b"true"])
def test_a_word_that_does_not_fit_what_the_tool_returns_is_refused(in_world: Play, word: bytes) -> None:
    desk, outside = System("desk"), Outside()
    doubtful(desk, outside)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            (question,) = await live.store.questions()
            assert await code_of(live.engine.answer(question.id, word, by="ann")) == "P402"
            assert (await the_run(live)).state is State.PARKED

    in_world(main)


def test_a_tool_that_returns_nothing_needs_no_result_in_the_operators_word(in_world: Play) -> None:
    desk, outside = System("desk"), Outside()
    topic = desk.topic("orders", Order, key="id")

    @desk.tool(effect="write", key="order.id")
    async def post(order: Order) -> None:
        outside.calls += 1
        raise ConnectionError("the line went dead")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await post(order)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            await live.answer_all(b'{"happened":true}')
            await live.idle()
            assert (await the_run(live)).state is State.DONE
            assert outside.calls == 1

    in_world(main)


def test_an_idempotent_tool_is_called_again_with_the_same_key(in_world: Play) -> None:
    desk, outside = System("desk"), Outside()
    doubtful(desk, outside, idempotent=True, retry=Retry(2, first="1s"))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert await live.events("done") == [{"id": "a", "amount": 2}]

    in_world(main)


@pytest.mark.parametrize(("told", "calls"), [(7, 1), (None, 2)])
def test_a_tool_that_can_reconcile_is_asked_what_happened_before_it_is_called_again(
    in_world: Play, told: int | None, calls: int
) -> None:
    desk, outside = System("desk"), Outside()
    asked: list[str] = []

    async def look(key: str) -> int | None:
        asked.append(key)
        return told

    doubtful(desk, outside, reconcile=look, retry=Retry(2, first="1s"))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert await live.events("done") == [{"id": "a", "amount": told or 2}]
            assert (asked, outside.calls) == (["a"], calls)

    in_world(main)


def crashing(desk: System, outside: Outside, **options: Any) -> None:
    """Declare a handler whose write takes so long that a crash can fall into it."""
    topic = desk.topic("orders", Order, key="id")
    done = desk.topic("done", Order, key="id")

    @desk.tool(effect="write", key="order.id", **options)
    async def post(order: Order) -> int:
        outside.calls += 1
        outside.posted.append(parti.idempotency_key())
        if outside.calls == 1:
            await asyncio.sleep(20)
        return outside.calls

    @desk.on(topic)
    async def handle(order: Order) -> None:
        number = await post(order)
        await done.publish(Order(id=order.id, amount=number))


async def crash_during_the_write(world: World, desk: System, outside: Outside) -> None:
    async with world.running(desk, crash=True) as live:
        await live.publish("orders", orders("a"))
        await wait_until(live, lambda: bool(outside.calls))
        await asyncio.sleep(1)


def test_a_write_cut_off_by_a_crash_is_parked_for_the_operator(in_world: Play) -> None:
    desk, outside = System("desk"), Outside()
    crashing(desk, outside)

    async def main(world: World) -> None:
        await crash_during_the_write(world, desk, outside)
        async with world.running(desk) as live:
            await live.idle()
            assert (await the_run(live)).state is State.PARKED
            assert outside.calls == 1
            await live.answer_all(b'{"happened":true,"result":9}')
            await live.idle()
            assert await live.events("done") == [{"id": "a", "amount": 9}]

    in_world(main)


def test_an_idempotent_write_cut_off_by_a_crash_is_made_again_with_the_same_key(in_world: Play) -> None:
    desk, outside = System("desk"), Outside()
    crashing(desk, outside, idempotent=True)

    async def main(world: World) -> None:
        await crash_during_the_write(world, desk, outside)
        async with world.running(desk) as live:
            await live.idle()
            assert outside.posted == ["a", "a"]
            assert await live.events("done") == [{"id": "a", "amount": 2}]

    in_world(main)


@pytest.mark.parametrize(("told", "calls"), [(7, 1), (None, 2)])
def test_a_write_cut_off_by_a_crash_is_reconciled(in_world: Play, told: int | None, calls: int) -> None:
    desk, outside = System("desk"), Outside()
    crashing(desk, outside, reconcile=lambda key: told)

    async def main(world: World) -> None:
        await crash_during_the_write(world, desk, outside)
        async with world.running(desk) as live:
            await live.idle()
            assert outside.calls == calls
            assert await live.events("done") == [{"id": "a", "amount": told or 2}]

    in_world(main)


def test_a_write_whose_answer_is_on_disk_is_not_made_again_after_a_crash(in_world: Play) -> None:
    desk, outside = System("desk"), Outside()
    topic = desk.topic("orders", Order, key="id")

    @desk.tool(effect="write", key="order.id")
    async def post(order: Order) -> int:
        outside.calls += 1
        return outside.calls

    @desk.step()
    async def think() -> None:
        await asyncio.sleep(30)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        assert await post(order) == 1
        await think()

    async def main(world: World) -> None:
        async with world.running(desk, crash=True) as live:
            await live.publish("orders", orders("a"))
            await wait_until(live, lambda: bool(outside.calls))
            await asyncio.sleep(1)
        async with world.running(desk) as live:
            await live.idle(within=100)
            assert outside.calls == 1
            assert (await the_run(live)).state is State.DONE

    in_world(main)


def test_a_write_that_takes_too_long_is_in_doubt(in_world: Play) -> None:
    desk, outside = System("desk"), Outside()
    crashing(desk, outside, timeout="5s")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.PARKED)
            (question,) = await live.store.questions()
            assert "was cut off (it took longer than 5s)" in question.text

    in_world(main)


def test_two_writes_in_doubt_are_settled_one_after_the_other(in_world: Play) -> None:
    desk, outside = System("desk"), Outside()
    topic = desk.topic("orders", Order, key="id")
    answers: list[list[int]] = []

    @desk.tool(effect="write", key="letter")
    async def post(letter: str) -> int:
        outside.calls += 1
        await asyncio.sleep(20)
        return outside.calls

    @desk.on(topic)
    async def handle(order: Order) -> None:
        answers.append(list(await asyncio.gather(post("a"), post("b"))))

    async def main(world: World) -> None:
        await crash_during_the_write(world, desk, outside)
        async with world.running(desk) as live:
            for number in (b"10", b"20"):
                await live.idle()
                assert await live.answer_all(b'{"happened":true,"result":%b}' % number) == 1
            await live.idle()
            assert sorted(answers[-1]) == [10, 20]
            assert outside.calls == 2

    in_world(main)
