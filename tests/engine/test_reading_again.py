"""What a run has read it has read also in a replay, and also out of a memory."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from engine_kit import Play, World, entries_of

from parti import Label, System, sleep
from parti.testing import Script, calls
from parti.testing.words import WordEmbedder


def test_what_is_recalled_of_strangers_was_read(in_world: Play) -> None:
    async def main(world: World) -> None:
        desk = System("desk", labels="run")
        notes = desk.memory("notes")

        @desk.post("/note", key="id")
        async def note(id: str, text: str) -> None:
            await notes.remember(text)

        @desk.post("/look", key="id", labels=Label.TRUSTED)
        async def look(id: str) -> int:
            return len(await notes.recall("tea"))

        async with world.running(desk, embedder=WordEmbedder()) as live:
            assert await _taints(live, "look", ["a"]) == []
            await live.call("note", ["a", "tea is drunk at five"])
            assert await _taints(live, "look", ["a"]) == [("notes", ["untrusted"])]

    in_world(main)


async def _taints(live: Any, endpoint: str, arguments: list[str]) -> list[tuple[str, list[str]]]:
    run = (await live.call(endpoint, arguments)).run
    return [(one.part, one.answer) for one in await entries_of(live.store, run) if one.kind == "taint"]


def clerks(traced: list[bool]) -> System:
    """A step and an agent that read letters inside, and an hour between what is read and what is looked up."""
    from parti.ports.context import CURRENT  # noqa: PLC0415

    desk = System("desk", labels="run")

    @desk.tool(effect="read", labels=Label.UNTRUSTED)
    async def letter(id: str) -> str:
        return "a word"

    @desk.step
    async def read_inside(id: str) -> int:
        return len(await letter(id))

    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[letter])

    async def then() -> str:
        await sleep("1h")
        traced.append(CURRENT.get().run.taint.untrusted)  # type: ignore[union-attr]
        return ""

    @desk.post("/stepping", labels=Label.TRUSTED, timeout="9d")
    async def stepping(id: str) -> str:
        await read_inside(id)
        return await then()

    @desk.post("/working", labels=Label.TRUSTED, timeout="9d")
    async def working(id: str) -> str:
        await clerk.run(id)
        return await then()

    return desk


@pytest.mark.parametrize("endpoint", ["stepping", "working"])
def test_what_was_read_inside_is_known_when_the_inside_is_not_made_again(in_world: Play, endpoint: str) -> None:
    """The journal answers for the step and the agent as a whole, and nothing inside is read again."""
    known = list[bool]()

    async def main(world: World) -> None:
        script = Script([calls(("letter", {"id": "a"})), "done"])
        async with world.running(clerks(known), script=script, crash=True) as live:
            calling = live.engine.spawn(live.call(endpoint, ["a"]))
            await live.engine.clock.wait(60)
            calling.cancel()
            with suppress(BaseException):
                await calling
        async with world.running(clerks(known), script=Script([])) as live:
            await live.idle(within=9000)
        assert known
        assert all(known)

    in_world(main)
