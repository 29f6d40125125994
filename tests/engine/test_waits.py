"""Waits for people and for moments survive restarts, and a run in them leaves memory."""

from __future__ import annotations

import asyncio
import gc
from datetime import datetime
from typing import Any, Literal

import pytest
from engine_kit import (
    Count,
    Order,
    Play,
    World,
    code_of,
    entries_of,
    orders,
    result_of,
    the_run,
    wait_for_state,
    wait_until,
)

import parti
from parti import Question, QuestionExpired, System
from parti.engine.activation import Activation
from parti.ports.store import State


def asking_desk(asked: list[Any], **options: Any) -> System:
    """A desk whose handler asks the underwriter about every order, and notes what it is told."""
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        if order.amount == 0:
            asked.append(await parti.ask("underwriter", f"Approve {order.id}?", **options))
        else:
            asked.append(order.amount)

    return desk


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


def test_several_questions_at_once_are_answered_in_any_order(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    answers: list[list[int]] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        questions = (parti.ask("underwriter", f"How many {what}?", answer=int) for what in ("a", "b", "c"))
        answers.append(list(await asyncio.gather(*questions, parti.ask("boss", "Well?", answer=int))))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("x"))
            await live.idle()
            questions = {question.text: question.id for question in await live.store.questions()}
            assert len(questions) == 4
            for number, text in enumerate(["How many c?", "Well?", "How many a?"]):
                await live.engine.answer(questions[text], str(number).encode(), by="ann")
                await live.idle()
            assert not answers
        async with world.running(desk) as live:
            await live.answer_all(b"3")
            await live.idle()
            assert answers == [[2, 3, 0, 1]]

    in_world(main)


def test_equal_questions_are_told_apart_by_their_order(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    answers: list[list[str]] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        answers.append([await parti.ask("ann", "Again?", answer=str) for _ in range(2)])

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("x"))
            for answer in (b'"one"', b'"two"'):
                await live.idle()
                await live.answer_all(answer)
            await live.idle()
            assert answers[-1] == ["one", "two"]

    in_world(main)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (bool, b"true", b'"yes"'),
        (Literal["yes", "no"], b'"no"', b'"maybe"'),
        (Order, b'{"id":"a"}', b'{"amount":1}'),
        (int, b"1", b"{"),
    ],
)
def test_an_answer_that_does_not_fit_its_type_is_refused_with_p402(
    in_world: Play, kind: Any, good: bytes, bad: bytes
) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(asking_desk(asked, answer=kind)) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            (question,) = await live.store.questions()
            assert await code_of(live.engine.answer(question.id, bad, by="ann")) == "P402"
            assert len(await live.store.questions()) == 1
            await live.engine.answer(question.id, good, by="ann")
            await live.idle()
            assert len(asked) == 1

    in_world(main)


def test_answering_twice_or_the_unknown_is_refused(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(asking_desk([])) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            (question,) = await live.store.questions()
            answer = live.engine.answer
            first, second = await asyncio.gather(
                answer(question.id, b"true", by="ann"), answer(question.id, b"false", by="bob"), return_exceptions=True
            )
            assert first.answer == b"true"  # type: ignore[union-attr]
            assert second.code == "P309"  # type: ignore[union-attr]
            assert await code_of(answer(question.id, b"true", by="ann")) == "P309"
            assert await code_of(answer("nothing", b"true", by="ann")) == "P308"

    in_world(main)


def test_a_person_who_goes_away_before_the_answer_is_confirmed_has_answered_all_the_same(in_world: Play) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(asking_desk(asked)) as live:
            await live.publish("orders", orders("a", "b"))
            await live.idle()
            (question,) = await live.store.questions()
            answering = asyncio.create_task(live.engine.answer(question.id, b"true", by="ann"))
            await asyncio.sleep(0)
            others = asyncio.create_task(live.publish("orders", orders("x", "c")))
            await asyncio.sleep(0)
            answering.cancel()
            await others
            await live.idle()
            assert True in asked
            assert (await live.store.runs(state=State.DONE))[0]

    in_world(main)


def test_an_answer_over_64_kib_arrives_whole_also_after_a_restart(in_world: Play) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        async with world.running(asking_desk(asked, answer=str)) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.WAITING)
            await live.answer_all(b'"%b"' % (b"x" * 100_000))
            await live.idle()
            assert asked == ["x" * 100_000]

    in_world(main)


def test_names_and_texts_of_questions_may_hold_any_character(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    odd = 'the "boss" \\ of\n all \N{GRINNING FACE}'
    answers: list[bool] = []

    @desk.on(topic)
    async def handle(order: Order) -> None:
        answers.append(await parti.ask(odd, odd))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders(odd))
            await wait_for_state(live, State.WAITING)
            (question,) = await live.store.questions(who=odd)
            assert question.text == odd
            await live.answer_all(b"true", by=odd)
            await live.idle()
            assert answers == [True]
            journal = await entries_of(live.store, question.run)
            assert {entry.part for entry in journal if entry.kind in ("ask", "answer")} == {odd}

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


def test_a_stand_in_answers_for_its_person_where_stand_ins_are_switched_on(in_world: Play) -> None:
    asked: list[Any] = []

    def desk_with_stand_in() -> System:
        desk = asking_desk(asked)

        @desk.stand_in("underwriter", after="3s")
        async def underwriter(question: Question) -> bool:
            assert question.key == "a"
            return question.text == "Approve a?"

        return desk

    async def main(world: World) -> None:
        async with world.running(desk_with_stand_in()) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert not asked
        async with world.running(desk_with_stand_in(), stand_ins=True) as live:
            await live.idle()
            assert asked == [True], "also for questions that were open at the start"
            assert (await live.store.questions(state="answered"))[0].by == "stand-in for underwriter"

    in_world(main)


def test_a_stand_in_that_answers_at_once_is_not_too_early(in_world: Play) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        desk = asking_desk(asked)

        @desk.stand_in("underwriter", after="1ms")
        def underwriter(question: Question) -> bool:
            return True

        async with world.running(desk, stand_ins=True) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert asked == [True]

    in_world(main)


def test_a_stand_in_that_fails_leaves_the_question_to_people(in_world: Play, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[Any] = []

    async def main(world: World) -> None:
        desk = asking_desk(asked)

        @desk.stand_in("underwriter")
        def underwriter(question: Question) -> str:
            return "not a bool"

        async with world.running(desk, stand_ins=True) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert len(await live.store.questions()) == 1
            await live.answer_all(b"true")
            await live.idle()
            assert asked == [True]
        assert "stand-in" in caplog.text

    in_world(main)


def test_an_endpoint_that_asks_gives_its_answer_to_a_caller_who_comes_back(in_world: Play) -> None:
    desk = System("desk")

    @desk.post("/go")
    async def go(n: int) -> int:
        more = await parti.ask("ann", "How many more?", answer=int)
        return n + int(more)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await code_of(live.call("go", (1,), idempotency_key="k")) == "P303"
        async with world.running(desk) as live:
            await live.answer_all(b"41")
            outcome = await live.call("go", (1,), idempotency_key="k")
            assert (outcome.result, outcome.repeated) == (b"42", True)

    in_world(main)


def test_a_question_of_a_run_that_ended_without_it_is_withdrawn(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        asking = asyncio.create_task(parti.ask("ann", order.id))
        await parti.sleep("1m")
        asking.cancel()
        if order.id == "fails":
            raise ValueError("no")
        if order.id == "waits":
            await parti.sleep("1h")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("returns", "fails", "waits"))
            await asyncio.sleep(120)
            (waiting,) = await live.store.runs(state=State.WAITING)
            assert [question.text for question in await live.store.questions()] == ["waits"]
        async with world.running(desk) as live:
            await live.engine.cancel(waiting.id)
            assert await live.store.questions() == []
            withdrawn = {question.text for question in await live.store.questions(state="withdrawn")}
            assert withdrawn == {"returns", "fails", "waits"}

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
