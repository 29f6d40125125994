"""What a model says reaches whoever listens as it comes, and stands in the journal once."""

from __future__ import annotations

from typing import Any

import pytest
from engine_kit import Play, World, entries_of, result_of, the_run
from pydantic import BaseModel

from parti import AgentStopped, PartiError, System
from parti.engine.entries import Kind
from parti.testing import Script


class Verdict(BaseModel):
    good: bool


def a_desk(**options: Any) -> tuple[System, list[str]]:
    desk, heard = System("desk"), list[str]()
    poet = desk.agent("poet", llm=desk.llm("local"), **options)

    @desk.step()
    async def after(text: str) -> str:
        return f"{text}!"

    @desk.post("/poem")
    async def poem() -> str:
        heard.clear()
        work = poet.stream("write")
        async for piece in work:
            heard.append(piece)
        return await after(str(work.output))

    return desk, heard


def test_pieces_come_as_the_model_says_them_and_make_up_the_answer(in_world: Play, replay_each: bool) -> None:
    desk, heard = a_desk()

    async def main(world: World) -> None:
        async with world.running(desk, script=Script(["roses are red"])) as live:
            assert await result_of(live, "poem") == "roses are red!"
            assert "".join(heard) == "roses are red"
            assert len(heard) == (1 if replay_each else 3), "a replay tells it in one piece"
            entries = await entries_of(world.store, (await the_run(live)).id)
            assert [entry.part for entry in entries if entry.kind == Kind.STEP] == ["local", "poet", "after"]

    in_world(main)


def test_a_stream_whose_agent_stopped_says_so_at_its_end(in_world: Play) -> None:
    desk, _ = a_desk(output=Verdict, repairs=0)

    async def main(world: World) -> None:
        async with world.running(desk, script=Script(["no verdict"])) as live:
            with pytest.raises(PartiError, match="P705"):
                await live.call("poem", [])

    in_world(main)


def test_a_stream_that_fails_raises_where_it_is_read(in_world: Play) -> None:
    desk, _ = a_desk()

    async def main(world: World) -> None:
        async with world.running(desk, script=Script([])) as live:
            with pytest.raises(PartiError, match="P701"):
                await live.call("poem", [])

    in_world(main)


def test_the_error_of_an_agent_that_stopped_is_a_run_error() -> None:
    assert issubclass(AgentStopped, PartiError)
