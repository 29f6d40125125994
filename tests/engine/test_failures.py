"""Failures: tried again up to a limit, then put where people find them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from itertools import pairwise

import pytest
from engine_kit import (
    Order,
    Play,
    World,
    code_of,
    entries_of,
    failing_desk,
    kinds_of,
    orders,
    play,
    the_run,
    wait_for_state,
)

import parti
from parti import DeadLetter, Retry, System
from parti.adapters.virtual import Faults
from parti.ports.store import State


def test_a_failing_event_moves_to_the_dead_letters_with_its_error_and_its_run(in_world: Play) -> None:
    tries: list[float] = []

    async def main(world: World) -> None:
        async with world.running(failing_desk(tries, retry=3)) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            record = await the_run(live)
            assert (record.state, record.attempt, len(tries)) == (State.DEAD, 3, 3)
            assert await live.events("orders.dead") == [
                {
                    "handler": "handle",
                    "run": record.id,
                    "key": "a",
                    "code": "P307",
                    "error": "ValueError: no a",
                    "attempts": 3,
                    "event": {"id": "a", "amount": 0},
                }
            ]
            assert await kinds_of(live.store, record.id) == ["attempt", "attempt", "attempt", "publish"]

    in_world(main)


def test_each_wait_before_another_attempt_is_drawn_from_a_longer_range_up_to_a_limit(in_world: Play) -> None:
    tries: list[float] = []
    retry = Retry(6, first="10s", factor=2, longest="60s")

    async def main(world: World) -> None:
        async with world.running(failing_desk(tries, retry=retry)) as live:
            await live.publish("orders", orders("a"))
            await live.idle(within=1e4)
            waits = [after - before for before, after in pairwise(tries)]
            assert len(waits) == 5
            assert all(wait <= limit + 0.5 for wait, limit in zip(waits, (10, 20, 40, 60, 60), strict=True))
            assert max(waits) > 10

    in_world(main)


def test_a_backoff_goes_on_where_it_was_after_a_restart(in_world: Play) -> None:
    tries: list[float] = []

    async def main(world: World) -> None:
        desk = failing_desk(tries, until=2, retry=Retry(5, first="10h", longest="10h"))
        async with world.running(desk, crash=True) as live:
            await live.publish("orders", orders("a"))
            wake = (await wait_for_state(live, State.BACKOFF)).wake
        async with world.running(desk) as live:
            await live.idle(within=1e6)
            assert world.clock.now() == pytest.approx(wake, abs=1)
            assert (await the_run(live)).state is State.DONE
            assert (await the_run(live)).attempt == 2

    in_world(main)


def test_a_handler_of_dead_letters_gets_each_of_them(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    letters: list[DeadLetter] = []

    @desk.on(topic, retry=2)
    async def handle(order: Order) -> None:
        raise ValueError(order.id)

    @desk.on(topic.dead, retry=1)
    async def mourn(letter: DeadLetter) -> None:
        letters.append(letter)
        if letter.key == "b":
            raise ValueError("too sad")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "b"))
            await live.idle()
            assert sorted((letter.key, letter.error, letter.attempts) for letter in letters) == [
                ("a", "ValueError: a", 2),
                ("b", "ValueError: b", 2),
            ]
            assert letters[0].event["id"] == letters[0].key
            states = [run.state for run in await live.store.runs(part="mourn")]
            assert sorted(states) == [State.DEAD, State.DONE]

    in_world(main)


def test_a_dead_run_that_is_retried_gets_all_its_attempts_again(in_world: Play) -> None:
    tries: list[float] = []

    async def main(world: World) -> None:
        desk = failing_desk(tries, until=6, retry=Retry(3, first="1s"))
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            record = await the_run(live)
            assert (await live.engine.retry(record.id)).state is not State.DEAD
            await live.idle()
            record = await the_run(live)
            assert (record.state, record.attempt, record.error) == (State.DONE, 6, b"")
            assert await code_of(live.engine.retry(record.id)) == "P309"
            assert await code_of(live.engine.retry("nobody")) == "P308"

    in_world(main)


def test_a_retried_run_waits_for_its_turn_behind_the_runs_of_its_key(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    order_of_work: list[int] = []

    @desk.step()
    async def work(amount: int) -> None:
        await asyncio.sleep(10)
        order_of_work.append(amount)

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        if not order_of_work:
            order_of_work.append(-1)
            raise ValueError("first")
        await work(order.amount)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            dead = (await the_run(live)).id
            await live.publish("orders", [b'{"id":"a","amount":5}'])
            await asyncio.sleep(1)
            await live.engine.retry(dead)
            await live.idle()
            assert order_of_work == [-1, 5, 0]

    in_world(main)


def test_steps_that_failed_are_tried_again_in_the_next_attempt_and_answers_stay(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    calls: list[str] = []

    @desk.step()
    async def first() -> str:
        calls.append("first")
        return "one"

    @desk.step()
    async def second() -> None:
        calls.append("second")
        if calls.count("second") < 3:
            raise ConnectionError("refused")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        await first()
        await second()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert calls == ["first", "second", "second", "second"]

    in_world(main)


def test_a_handler_that_works_too_long_fails_with_p303(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.step()
    async def work() -> None:
        await asyncio.sleep(100)

    @desk.on(topic, timeout="5s", retry=1)
    async def handle(order: Order) -> None:
        await work()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            (letter,) = await live.events("orders.dead")
            assert (letter["code"], letter["error"]) == ("P303", "`handle` took longer than 5s")

    in_world(main)


def test_waiting_for_people_and_timers_does_not_count_as_time_at_work(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic, timeout="5s", retry=1)
    async def handle(order: Order) -> None:
        await parti.sleep("1h")
        await parti.ask("ann", "Well?")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await asyncio.sleep(7200)
            await live.answer_all(b"true")
            await live.idle()
            assert (await the_run(live)).state is State.DONE
            assert (await the_run(live)).busy < 2

    in_world(main)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


def file_name_error() -> Exception:
    """What an operating system says of a file whose name is no text."""
    return FileNotFoundError(os.fsdecode(b"/data/\xff.csv"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (file_name_error, "FileNotFoundError: /data/?.csv"),
        (Unspeakable, f"{__name__}.Unspeakable: (it cannot be shown: RuntimeError)"),
        (asyncio.CancelledError, "the function cancelled itself"),
        (lambda: TimeoutError("the host is slow"), "TimeoutError: the host is slow"),
        (lambda: SystemExit(3), "SystemExit: 3"),
        (lambda: ExceptionGroup("two", [ValueError("inner"), TypeError("other")]), "ValueError: inner"),
    ],
    ids=["bytes in a file name", "no text", "cancelled", "timeout", "exit", "group"],
)
@pytest.mark.parametrize("inside", ["handler", "step"])
def test_whatever_a_handler_raises_is_a_failure_of_that_run_alone(
    in_world: Play, make: type[Exception], said: str, inside: str
) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    done: list[str] = []

    @desk.step()
    async def break_down() -> None:
        raise make()

    @desk.on(topic, retry=2)
    async def handle(order: Order) -> None:
        if order.id == "good":
            done.append(order.id)
        elif inside == "step":
            await break_down()
        else:
            raise make()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("bad", "good"))
            await live.idle()
            (letter,) = await live.events("orders.dead")
            if inside == "handler" or "raised" not in letter["error"]:
                assert letter["error"] == said
            assert letter["attempts"] == 2
            assert done == ["good"]

    in_world(main)


def test_the_place_of_a_failure_is_the_line_of_the_app_and_not_of_a_library(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    line: list[int] = []

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        line.append(sys._getframe().f_lineno + 1)
        json.loads("{")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            record = await the_run(live)
            assert b'"place":"test_failures.py:%d"' % line[0] in record.error

    in_world(main)


def test_an_event_that_cannot_be_read_any_more_is_dead_at_once(in_world: Play) -> None:
    def declare(upcast: bool) -> System:
        desk = System("desk")
        lift = (lambda old: {"id": 1 / 0}) if upcast else None
        topic = desk.topic("orders", Order, key="id", upcast=lift)

        @desk.on(topic, retry=3)
        async def handle(order: Order) -> None:
            return None

        return desk

    async def main(world: World) -> None:
        quiet = System("desk")
        quiet.topic("orders", Order, key="id")
        async with world.running(quiet) as live:
            await live.publish("orders", orders("a"))
        for content in world.store.disk.streams.values():
            content.events[:] = [event._replace(schema="0" * 16) for event in content.events]
        async with world.running(declare(True)) as live:
            await live.idle()
            (letter,) = await live.events("orders.dead")
            assert (letter["code"], letter["attempts"]) == ("P402", 1)
            assert "ZeroDivisionError" in letter["error"]

    in_world(main)


def test_a_retried_run_asks_again_what_nobody_had_answered(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    told: list[bool] = []
    mended: list[bool] = []

    @desk.step()
    async def work() -> None:
        if not mended:
            raise ValueError("broken")

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        answer, _ = await asyncio.gather(parti.ask("ann", "Well?"), work())
        told.append(answer)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert await live.store.questions() == []
            mended.append(True)
            await live.engine.retry((await the_run(live)).id)
            await live.idle()
            assert await live.answer_all(b"true") == 1
            await live.idle()
            assert told == [True]

    in_world(main)


def test_a_failing_sync_handler_is_retried_as_well(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    tries: list[int] = []

    @desk.on(topic, retry=Retry(3, first="1s"))
    def handle(order: Order) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("again")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert (await the_run(live)).state is State.DONE
            failures = [entry for entry in await entries_of(live.store, (await the_run(live)).id)]
            assert [entry.kind for entry in failures] == ["attempt", "attempt"]

    in_world(main)


def test_a_retried_run_reads_tables_anew_and_keeps_what_its_steps_answered(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    book = desk.table("book", Order, key="id")
    computed: list[int] = []

    @desk.step()
    async def work() -> int:
        computed.append(1)
        return len(computed)

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        answer = await work()
        row = await book.get("other")
        assert row is not None, "the other is not there yet"
        await book.put(Order(id=order.id, amount=row.amount + answer))

    @desk.post("/other", key="id")
    async def other(id: str) -> None:
        await book.put(Order(id=id, amount=10))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            await live.call("other", ["other"])
            await live.engine.retry((await the_run(live, "handle")).id)
            await live.idle()
            assert (await live.rows("book"))["a"]["amount"] == 11
            assert computed == [1]

    in_world(main)


def test_a_retried_run_asks_again_what_had_expired(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    told: list[bool] = []

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        told.append(await parti.ask("ann", "Well?", timeout="30s"))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            await wait_for_state(live, State.DEAD)
            await live.engine.retry((await the_run(live)).id)
            await live.idle()
            assert await live.answer_all(b"true") == 1
            await live.idle()
            assert told == [True]

    in_world(main)


def test_the_next_attempt_begins_with_all_that_the_last_one_journaled() -> None:
    """However short the backoff and slow the disk: one round sees one answer."""
    desk, quotes, posted = System("desk"), [0], []
    topic = desk.topic("orders", Order, key="id")

    @desk.step()
    async def quote() -> int:
        quotes[0] += 1
        return quotes[0]

    @desk.tool(effect="write", key="id", idempotent=True)
    async def post(id: str) -> None:
        posted.append(id)

    @desk.on(topic, retry=Retry(9, first=0.001, longest=0.001))
    async def handle(order: Order) -> None:
        number = await quote()
        if len(posted) == 0 and quotes[0] < 9:
            posted.append("tried")
            raise ValueError("again")
        await post(f"{order.id}-{number}")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert quotes == [1]
            assert posted == ["tried", "a-1"]

    play(main, faults=Faults(latency=(0.5, 0.5)))
