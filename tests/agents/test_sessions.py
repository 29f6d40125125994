"""Sessions: an agent goes on from what was said under the same key, across runs and restarts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from engine_kit import Play, World, play, result_of
from pydantic import BaseModel

from parti import PartiError, System
from parti.ports.llm import Answer, Answered, Request, Said
from parti.testing import Script, calls, said


class Reply(BaseModel):
    text: str


def a_desk(sessions: int = 3, output: Any = str) -> System:
    desk = System("desk")

    @desk.tool(effect="read")
    async def look(id: str) -> int:
        return 7

    helper = desk.agent(
        "helper", llm=desk.llm("local"), instructions="Help.", tools=[look], sessions=sessions, output=output
    )

    @desk.post("/chat", key="user")
    async def chat(user: str, text: str) -> Any:
        return await helper.run(text)

    @desk.post("/fails", key="user")
    async def fails(user: str, text: str) -> str:
        await helper.run(text)
        raise ValueError("after all")

    @desk.post("/lost")
    async def lost(text: str) -> str:
        return await helper.run(text)

    return desk


def spoken(request: Request) -> list[str]:
    return [
        message.text for message in request.messages if isinstance(message, Said | Answered) and message.text != "Help."
    ]


def test_earlier_exchanges_of_the_key_are_shown_and_no_others(in_world: Play) -> None:
    script = Script(lambda request: f"answer {len(request.messages)}")

    async def main(world: World) -> None:
        async with world.running(a_desk(), script=script) as live:
            for user, text in (("ann", "one"), ("bob", "other"), ("ann", "two")):
                await live.call("chat", [user, text])
        async with world.running(a_desk(), script=script) as live:
            await live.call("chat", ["ann", "three"])
        assert spoken(script.asked[-1]) == ["one", "answer 2", "two", "answer 4", "three"]
        assert spoken(script.asked[1]) == ["other"]

    in_world(main)


def test_only_so_many_are_shown_and_kept(in_world: Play) -> None:
    script = Script(lambda request: "yes")

    async def main(world: World) -> None:
        async with world.running(a_desk(sessions=2), script=script) as live:
            for number in range(9):
                await live.call("chat", ["ann", str(number)])
            row = await world.store.row("session:helper", "main", "ann")
            assert row == b'["session",[["7","yes"],["8","yes"]]]'
        assert spoken(script.asked[-1]) == ["6", "yes", "7", "yes", "8"]

    in_world(main)


def test_calls_of_tools_are_not_repeated_to_the_model_later(in_world: Play) -> None:
    script = Script([calls(("look", {"id": "a"})), "seven", "as I said"])

    async def main(world: World) -> None:
        async with world.running(a_desk(), script=script) as live:
            await live.call("chat", ["ann", "how many?"])
            await live.call("chat", ["ann", "again?"])
        assert spoken(script.asked[-1]) == ["how many?", "seven", "again?"]
        assert len(script.asked[-1].messages) == 4

    in_world(main)


def test_a_run_that_fails_leaves_nothing_in_the_session(in_world: Play) -> None:
    script = Script(lambda request: "yes")

    async def main(world: World) -> None:
        async with world.running(a_desk(), script=script) as live:
            with pytest.raises(PartiError):
                await live.call("fails", ["ann", "never said"])
            await live.call("chat", ["ann", "hello"])
        assert spoken(script.asked[-1]) == ["hello"]

    in_world(main)


def test_a_crash_between_the_answer_and_the_commit_keeps_the_session_whole() -> None:
    reached, calls_made = asyncio.Event(), 0

    async def slow(request: Request) -> Answer:
        nonlocal calls_made
        calls_made += 1
        if calls_made == 2:
            reached.set()
            await asyncio.Event().wait()
        return said(f"answer {calls_made}")

    async def main(world: World) -> None:
        async with world.running(a_desk(), script=Script(slow), crash=True) as live:
            await live.call("chat", ["ann", "one"])
            asked = asyncio.ensure_future(live.call("chat", ["ann", "two"], idempotency_key="k"))
            await reached.wait()
            asked.cancel()
        script = Script(lambda request: "after the crash")
        async with world.running(a_desk(), script=script) as live:
            assert await result_of(live, "chat", "ann", "two", idempotency_key="k") == "after the crash"
            await live.call("chat", ["ann", "three"])
        assert spoken(script.asked[-1]) == ["one", "answer 1", "two", "after the crash", "three"]

    play(main)


def test_a_typed_output_is_remembered_as_it_was_said(in_world: Play) -> None:
    script = Script(lambda request: {"text": "hello"})

    async def main(world: World) -> None:
        async with world.running(a_desk(output=Reply), script=script) as live:
            await live.call("chat", ["ann", "one"])
            await live.call("chat", ["ann", "two"])
        assert spoken(script.asked[-1]) == ["one", '{"text": "hello"}', "two"]

    in_world(main)


def test_without_a_key_there_is_no_session(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(), script=Script(["yes"])) as live:
            with pytest.raises(PartiError, match="P305 `helper` keeps a session for each key"):
                await live.call("lost", ["hello"])

    in_world(main)


def test_runners_that_share_a_session_are_one_group() -> None:
    groups = a_desk().design.groups
    assert groups["chat"] == groups["fails"] == groups["lost"]
    assert len({group for group in a_desk(sessions=0).design.groups.values()}) == 3
