"""Answers: given once, checked, by people or their stand-ins."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from engine_kit import (
    Order,
    Play,
    World,
    asking_desk,
    code_of,
    entries_of,
    orders,
    wait_for_state,
)

import parti
from parti import Question, System
from parti.ports.store import State


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
