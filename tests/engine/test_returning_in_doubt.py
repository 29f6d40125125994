"""A run that returns while one of its writes is in doubt asks first what became of it."""

from __future__ import annotations

import asyncio

import pytest
from engine_kit import Play, World, result_of, the_run, wait_for_state

from parti import Budget, Outcome, System
from parti.ports.store import State
from parti.testing import Script, calls

HAPPENED, DID_NOT = b'{"happened":true,"result":"sent"}', b'{"happened":false}'


def a_desk(posted: list[str], *, idempotent: bool = False) -> System:
    """A desk with a slow write, whose agent runs out of seconds, and whose handler gives up, in the middle of it."""
    desk = System("desk")

    @desk.tool(effect="write", key="id", idempotent=idempotent)
    async def post(id: str) -> str:
        posted.append(id)
        await asyncio.sleep(20)
        return "sent"

    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[post], budget=Budget(seconds="5s"))

    @desk.post("/agent", timeout="1h")
    async def agent() -> Outcome[str]:
        return await clerk.attempt("post it")

    @desk.post("/giving-up", timeout="1h")
    async def giving_up() -> str:
        try:
            async with asyncio.timeout(5):
                return await post("1")
        except TimeoutError:
            return "gave up"

    return desk


def a_script() -> Script:
    return Script([calls(("post", {"id": "1"}), text="posting")])


@pytest.mark.parametrize("word", [HAPPENED, DID_NOT])
def test_an_agent_whose_seconds_are_over_in_the_middle_of_a_write_ends_once_a_person_has_spoken(
    in_world: Play, word: bytes
) -> None:
    posted = list[str]()

    async def main(world: World) -> None:
        async with world.running(a_desk(posted), script=a_script()) as live:
            asked = asyncio.ensure_future(result_of(live, "agent"))
            await wait_for_state(live, State.PARKED)
            (question,) = await live.store.questions()
            assert question.who == "operator"
            assert question.text == "`post` with the key '1' was cut off as its run ended. Did it happen?"
            assert not asked.done()
            await live.answer_all(word)
            assert (await asked)["reason"] == "seconds"
            assert (await the_run(live)).state is State.DONE
            assert posted == ["1"], "what stopped is not done again"

    in_world(main)


def test_the_persons_word_is_the_answer_of_a_write_that_its_function_gave_up(in_world: Play) -> None:
    posted = list[str]()

    async def main(world: World) -> None:
        async with world.running(a_desk(posted), script=a_script()) as live:
            asked = asyncio.ensure_future(result_of(live, "giving_up"))
            await wait_for_state(live, State.PARKED)
            await live.answer_all(HAPPENED)
            assert await asked == "sent"
            assert posted == ["1"]

    in_world(main)


def test_the_question_outlives_the_process(in_world: Play) -> None:
    posted = list[str]()

    async def main(world: World) -> None:
        async with world.running(a_desk(posted), script=a_script()) as live:
            asked = asyncio.ensure_future(live.call("agent", []))
            await wait_for_state(live, State.PARKED)
            asked.cancel()
        async with world.running(a_desk(posted), script=a_script()) as live:
            assert await live.answer_all(HAPPENED) == 1
            await live.idle()
            assert (await the_run(live)).state is State.DONE
            assert posted == ["1"]

    in_world(main)


def test_nobody_is_asked_about_a_write_that_may_be_made_again(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk([], idempotent=True), script=a_script()) as live:
            assert (await result_of(live, "agent"))["reason"] == "seconds"
            assert await live.store.questions() == []

    in_world(main)
