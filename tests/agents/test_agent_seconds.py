"""The seconds of an agent's budget are those at work, and what it came to before they were over is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from engine_kit import Play, World, result_of

from parti import Budget, Outcome, System, time_left
from parti.ports.llm import Answer, Request
from parti.ports.store import QuestionRecord
from parti.testing import Live, Script, calls


def a_desk(left: list[float], **budget: Any) -> System:
    """An agent that needs an approval, with an hour of work beside it that keeps the run in memory."""
    desk = System("desk")

    @desk.tool(effect="write", key="id", idempotent=True, approval="boss", timeout="10m")
    async def pay(id: str) -> str:
        left.append(time_left())
        return "paid"

    @desk.step(timeout="2h")
    async def long() -> None:
        await asyncio.sleep(3600)

    local = desk.llm("local")
    clerk = desk.agent("clerk", llm=local, tools=[pay], budget=Budget(**budget))
    chief = desk.agent("chief", llm=local, tools=[clerk], budget=Budget(**budget))

    @desk.post("/clerk", timeout="3h")
    async def by_clerk() -> Outcome[str]:
        outcome, _ = await asyncio.gather(clerk.attempt("pay"), long())
        return outcome

    @desk.post("/chief", timeout="3h")
    async def by_chief() -> Outcome[str]:
        outcome, _ = await asyncio.gather(chief.attempt("pay"), long())
        return outcome

    return desk


PAY = calls(("pay", {"id": "a"}), text="I shall pay")


def slowly(*answers: Answer) -> Script:
    """A model that takes 40 seconds for each answer, and costs a cent and ten tokens."""
    rest = iter(answers)

    async def say(_: Request) -> Answer:
        await asyncio.sleep(40)
        return replace(next(rest), usd=0.01, tokens_in=7, tokens_out=3)

    return Script(say)


async def the_question(live: Live) -> QuestionRecord:
    """What the boss is asked, once it is."""
    while not (found := await live.store.questions()):
        await live.engine.clock.wait(1)
    return found[0]


def test_waiting_for_a_person_takes_nothing_of_an_agents_seconds_whatever_else_the_run_does(in_world: Play) -> None:
    left = list[float]()

    async def main(world: World) -> None:
        async with world.running(a_desk(left, seconds="60s"), script=Script([PAY, "done"])) as live:
            asked = asyncio.ensure_future(result_of(live, "by_clerk"))
            await the_question(live)
            await live.engine.clock.wait(1800)
            assert (await the_question(live)).state == "open"
            await live.answer_all(b"true")
            assert (await asked)["reason"] == "done"
            assert 50 < left[0] <= 60, "and the tool is told what is left of them"

    in_world(main)


def test_the_seconds_of_an_agent_stand_still_while_one_that_it_called_waits(in_world: Play) -> None:
    async def main(world: World) -> None:
        script = Script([calls(("clerk", {"task": "pay"})), PAY, "paid", "done"])
        async with world.running(a_desk([], seconds="60s"), script=script) as live:
            asked = asyncio.ensure_future(result_of(live, "by_chief"))
            await the_question(live)
            await live.engine.clock.wait(1800)
            await live.answer_all(b"true")
            assert (await asked)["reason"] == "done"

    in_world(main)


def test_the_seconds_go_on_after_the_wait_and_end_with_what_the_agent_came_to(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk([], seconds="60s"), script=slowly(PAY, PAY)) as live:
            asked = asyncio.ensure_future(result_of(live, "by_clerk"))
            await the_question(live)
            await live.engine.clock.wait(1800)
            await live.answer_all(b"true")
            outcome = await asked
            assert (outcome["reason"], outcome["text"], outcome["turns"]) == ("seconds", "I shall pay", 1)
            assert (outcome["usd"], outcome["tokens"], outcome["tokens_out"]) == (0.01, 10, 3)

    in_world(main)


def test_an_agent_that_has_said_nothing_in_its_seconds_comes_to_nothing(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk([], seconds="5s"), script=slowly(PAY)) as live:
            outcome = await result_of(live, "by_clerk")
            assert (outcome["reason"], outcome["text"], outcome["turns"]) == ("seconds", "", 0)

    in_world(main)
