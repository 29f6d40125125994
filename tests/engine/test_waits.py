"""Waits for people and for moments survive restarts, and a run in them leaves memory."""

from __future__ import annotations

import asyncio
import gc
from datetime import datetime
from typing import Any

import pytest
from engine_kit import (
    Count,
    Order,
    Play,
    World,
    asking_desk,
    code_of,
    orders,
    the_run,
    wait_for_state,
)

import parti
from parti import QuestionExpired, System
from parti.engine.activation import Activation
from parti.ports.store import State


def test_an_answer_given_while_the_run_is_in_memory_lets_it_go_on(in_world: Play) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(asking_desk(asked)) as live:
            await live.publish("orders", orders("a"))
            while not await live.store.questions():
                await asyncio.sleep(0.001)
            record = await live.engine.answer((await live.store.questions())[0].id, b"true", by="ann")
            assert (record.state, record.answer, record.by) == ("answered", b"true", "ann")
            await live.idle()
            assert asked == [True]

    in_world(main)


def test_a_run_that_only_waits_leaves_memory_and_is_woken_by_the_answer(in_world: Play) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(asking_desk(asked)) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.WAITING)
            (job,) = live.engine.runs.jobs.values()
            assert job.activation is None
            assert job.event is None
            await live.answer_all(b"false")
            await live.idle()
            assert asked == [False]
            assert (await the_run(live)).state is State.DONE

    in_world(main)


def test_a_run_that_waits_with_a_deadline_is_held_by_nothing_in_memory(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(asking_desk([], timeout="2d")) as live:
            await live.publish("orders", orders("a"))
            await asyncio.sleep(3600)
            gc.collect()
            held = [thing for thing in gc.get_objects() if isinstance(thing, Activation)]
            assert [run for run in held if run.services is live.engine.services] == []

    in_world(main)


def test_a_question_survives_a_restart_and_is_asked_once(in_world: Play) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(asking_desk(asked)) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.WAITING)
        async with world.running(asking_desk(asked), crash=True) as live:
            await live.idle()
            assert len(await live.store.questions()) == 1
        async with world.running(asking_desk(asked)) as live:
            await live.idle()
            await live.answer_all(b"true")
            await live.idle()
            assert asked == [True]
            assert len(await live.store.questions(state="")) == 1

    in_world(main)


def test_successors_of_a_waiting_key_wait_while_other_keys_go_on(in_world: Play) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(asking_desk(asked)) as live:
            await live.publish("orders", orders("a", "a", "b", "a", "c"))
            await live.idle()
            assert sorted(asked) == [2, 4]
            await live.answer_all(b"true")
            await live.idle()
            assert asked[2:] == [True, 1, 3]

    in_world(main)


def test_a_thousand_runs_that_wait_for_people_do_not_keep_others_from_being_read(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    done: list[str] = []

    @desk.on(topic, concurrency=8)
    async def handle(order: Order) -> None:
        if order.id != "last":
            await parti.ask("underwriter", order.id)
        done.append(order.id)

    async def main(world: World) -> None:
        if world.replay_each:
            return
        async with world.running(desk) as live:
            await live.publish("orders", orders(*(f"o{n}" for n in range(1000)), "last"))
            await live.idle(within=1000)
            assert done == ["last"]
            assert len(await live.store.questions(limit=2000)) == 1000

    in_world(main)


def test_a_question_without_an_answer_in_time_raises_p306(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    caught: set[str] = set()

    @desk.on(topic)
    async def handle(order: Order) -> None:
        with pytest.raises(QuestionExpired) as expired:
            await parti.ask("underwriter", "Approve?", timeout="2d")
        caught.add(f"{expired.value.code} {expired.value.what}")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await asyncio.sleep(3 * 86400)
            assert caught == {"P306 underwriter did not answer within 2d: Approve?"}
            assert (await live.store.questions(state="expired"))[0].who == "underwriter"

    in_world(main)


@pytest.mark.parametrize("timeout", ["2d", "50ms", "1ms"])
def test_a_question_with_a_default_is_answered_by_it_in_time(in_world: Play, timeout: str) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(asking_desk(asked, timeout=timeout, default=None)) as live:
            await live.publish("orders", orders("a"))
            await asyncio.sleep(3 * 86400)
            assert asked == [None]
            assert (await the_run(live)).state is State.DONE

    in_world(main)


def test_a_deadline_that_passed_while_the_process_was_down_counts(in_world: Play) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(asking_desk(asked, timeout="1h", default=False), crash=True) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.WAITING)
        await asyncio.sleep(7200)
        async with world.running(asking_desk(asked, timeout="1h", default=False)) as live:
            await wait_for_state(live, State.DONE)
            assert asked == [False]
            question = (await live.store.questions(state="expired"))[0]
            assert await code_of(live.engine.answer(question.id, b"true", by="ann")) == "P309"

    in_world(main)


def test_a_sleep_ends_at_its_time_also_when_the_process_was_down_meanwhile(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    slept: list[float] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        begun = parti.now()
        await parti.sleep("10h")
        slept.append((parti.now() - begun).total_seconds())

    async def main(world: World) -> None:
        async with world.running(desk, crash=True) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.WAITING)
        await asyncio.sleep(8 * 3600)
        async with world.running(desk) as live:
            await live.idle(within=1e6)
            assert 36_000 <= slept[0] < 36_001

    in_world(main)


def test_sleeps_and_questions_in_one_gather_end_each_in_its_own_time(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    ended: dict[str, datetime] = {}

    async def nap(hours: int) -> int:
        await parti.sleep(hours * 3600)
        ended[f"nap {hours}"] = parti.now()
        return hours

    @desk.on(topic)
    async def handle(order: Order) -> None:
        start = parti.now()
        asking = parti.ask("ann", "Yes?", timeout="3h", default=False)
        assert await asyncio.gather(nap(1), asking, nap(2), nap(2)) == [1, False, 2, 2]
        assert 3 * 3600 <= (parti.now() - start).total_seconds() < 3 * 3600 + 1
        assert (ended["nap 1"] - start).total_seconds() < 3601

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await asyncio.sleep(4 * 3600)
            assert (await the_run(live)).state is State.DONE
            assert await live.events("orders.dead") == []

    in_world(main)


def test_a_run_with_a_step_under_way_stays_in_memory_while_another_branch_waits(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    calls: list[int] = []

    @desk.step()
    async def work() -> int:
        calls.append(1)
        await asyncio.sleep(30)
        return len(calls)

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await asyncio.gather(work(), parti.ask("ann", "Yes?"))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await asyncio.sleep(20)
            (job,) = live.engine.runs.jobs.values()
            assert job.activation is not None
            await asyncio.sleep(20)
            assert job.activation is None
            await live.answer_all(b"true")
            await live.idle()
            assert len(calls) == 1

    in_world(main)


def test_the_row_a_run_read_before_it_waited_is_the_row_it_goes_on_with(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    other = desk.topic("other", Order, key="id")
    book = desk.table("book", Count, key="id")
    seen: list[int] = []

    @desk.on(other)
    async def count(order: Order) -> None:
        await book.put(Count(id=order.id, n=order.amount))

    @desk.on(topic)
    async def handle(order: Order) -> None:
        before = await book.get("x")
        await parti.sleep("1h")
        after = await book.get("x")
        assert after
        seen.extend([before.n if before else -1, after.n])

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.WAITING)
            await live.publish("other", [b'{"id":"x","amount":5}'])
            await live.idle(within=1e6)
            assert seen == [-1, 5]

    in_world(main)
