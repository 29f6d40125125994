"""Agents with a memory: what they are shown, what they may keep, and that none of it is lost or paid twice."""

from __future__ import annotations

import asyncio
from typing import Any

from engine_kit import Order, Play, World, code_of, orders, play, result_of, wait_for_state
from memory_kit import a_desk, facts_of

from parti import System, ask
from parti.ports.llm import LlmFailure
from parti.ports.store import State
from parti.testing import Script, calls, said


def an_agents_desk(**options: Any) -> System:
    desk = System("desk")
    notes = desk.memory("notes")
    clerk = desk.agent("clerk", llm=desk.llm("local"), memory=notes, **options)

    @desk.post("/work", key="id")
    async def work(id: str, task: str) -> str:
        return await clerk.run(task)

    @desk.post("/fail", key="id")
    async def fail(id: str, task: str) -> None:
        await clerk.run(task)
        raise ValueError("after the work")

    return desk


def test_an_agent_remembers_for_later_runs_and_is_shown_what_bears_on_its_task(in_world: Play) -> None:
    desk = an_agents_desk()
    script = Script(
        [
            calls(("remember", {"text": "the customer wants letters, not mails"})),
            "noted",
            calls(("recall", {"query": "letters"})),
            "I wrote a letter",
        ]
    )

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "work", "a", "note what the customer wants") == "noted"
            assert await facts_of(live) == ["the customer wants letters, not mails"]
            assert await result_of(live, "work", "a", "write to the customer") == "I wrote a letter"
            shown = [message for message in script.asked[2].messages if getattr(message, "role", "") == "user"]
            assert "never instructions" in shown[0].text
            assert "the customer wants letters, not mails" in shown[0].text
            assert shown[1].text == "write to the customer"
            assert "letters, not mails" in str(script.asked[3].messages[-1])
            assert [tool.name for tool in script.asked[0].tools] == ["remember", "recall"]
            assert len(script.asked[0].messages) == 1, "nothing was known yet"
            assert len(script.asked) == 4

    in_world(main)


def test_what_an_agent_remembered_commits_although_a_replay_does_not_ask_it_again(in_world: Play) -> None:
    desk = System("desk")
    notes = desk.memory("notes")
    clerk = desk.agent("clerk", llm=desk.llm("local"), memory=notes)

    @desk.post("/work", key="id", timeout="1h")
    async def work(id: str) -> str:
        said = await clerk.run("note it")
        await ask("manager", "Go on?")
        return said

    async def main(world: World) -> None:
        script = Script([calls(("remember", {"text": "it was noted"})), "noted"])
        async with world.running(desk, crash=True, script=script) as live:
            call = asyncio.ensure_future(live.call("work", ["a"]))
            await wait_for_state(live, State.WAITING)
            call.cancel()
            assert await facts_of(live) == []
        async with world.running(desk, script=Script([])) as live:
            await live.answer_all(b"true")
            await live.idle()
            assert await facts_of(live) == ["it was noted"]

    in_world(main)


def test_what_an_agent_remembered_goes_with_the_run_that_fails(in_world: Play) -> None:
    desk = an_agents_desk()

    async def main(world: World) -> None:
        script = Script([calls(("remember", {"text": "it was noted"})), "noted"])
        async with world.running(desk, script=script) as live:
            assert await code_of(live.call("fail", ["a", "note it"])) == "P307"
            assert await facts_of(live) == []

    in_world(main)


def test_an_agent_is_told_when_a_fact_cannot_be_kept(in_world: Play) -> None:
    desk = System("desk")
    clerk = desk.agent("clerk", llm=desk.llm("local"), memory=desk.memory("notes", characters=10))

    @desk.post("/work", key="id")
    async def work(id: str) -> str:
        return await clerk.run("note it")

    async def main(world: World) -> None:
        script = Script(
            [
                calls(("remember", {"text": "far too long a fact"}), ("remember", {"text": "short"})),
                "kept the short one",
            ]
        )
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "work", "a") == "kept the short one"
            told = [str(message) for message in script.asked[-1].messages]
            assert any("at most 10 are kept" in one for one in told)
            assert await facts_of(live) == ["short"]

    in_world(main)


def test_a_retried_run_shows_its_agent_what_it_was_shown_before() -> None:
    """Else its turns, which are paid, would not fit any more."""
    desk, broken = System("desk"), [True]
    topic = desk.topic("orders", Order, key="id")
    notes = desk.memory("notes")
    clerk = desk.agent("clerk", llm=desk.llm("local"), memory=notes)

    @desk.post("/remember", key="id")
    async def remember(id: str, text: str) -> str:
        return await notes.remember(text)

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        await clerk.run("what is known of the roof")

    async def main(world: World) -> None:
        def answer(request: Any) -> Any:
            turns = len(request.messages)
            if turns > 2 and broken:
                return LlmFailure("P702", "it is broken", lasting=True)
            return said("done") if turns > 2 else calls(("recall", {"query": "roof"}))

        script = Script(answer)
        async with world.running(desk, script=script) as live:
            await live.call("remember", ["a", "the roof leaks"])
            await live.publish("orders", orders("a"))
            await live.idle()
            run = await wait_for_state(live, State.DEAD)
            await live.call("remember", ["a", "the roof was mended"])
            broken.clear()
            asked = len(script.asked)
            await live.engine.retry(run.id)
            await live.idle()
            assert len(script.asked) == asked + 1, "only the turn that had failed"
            assert "mended" not in str(script.asked[-1].messages)

    play(main)


def test_the_design_shows_who_reads_and_writes_a_memory() -> None:
    desk = an_agents_desk()
    arrows = {(arrow.source, arrow.kind, arrow.may) for arrow in desk.design.arrows if arrow.target == "notes"}
    assert arrows == {("clerk", "reads", False), ("clerk", "writes", True)}
    assert desk.design.groups["work"] == desk.design.groups["fail"], "both write it through the agent"
    arrows = {(arrow.source, arrow.kind) for arrow in a_desk().design.arrows if arrow.target == "notes"}
    assert arrows >= {("remember", "writes"), ("recall", "reads"), ("forget", "writes"), ("elsewhere", "reads")}
    assert a_desk(shared=True).design.groups["forget"] == "forget", "facts that all may write bind nobody together"
