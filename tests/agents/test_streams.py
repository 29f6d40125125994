"""What a model says reaches whoever listens as it comes, and stands in the journal once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from engine_kit import Order, Play, World, entries_of, result_of, the_run
from pydantic import BaseModel

import parti
from parti import AgentStopped, PartiError, System
from parti.journal.entries import Kind
from parti.ports.store import State
from parti.testing import Script, calls


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


def a_meddler(meddle: Callable[[System], Callable[[], Awaitable[object]]]) -> System:
    """A desk that does something between the pieces of a stream."""
    desk = System("desk")
    poet = desk.agent("poet", llm=desk.llm("local"))
    between = meddle(desk)

    @desk.post("/poem")
    async def poem() -> str:
        work = poet.stream("write")
        async for _ in work:
            await between()
        return str(work.output)

    return desk


def calls_a_step(desk: System) -> Callable[[], Awaitable[object]]:
    @desk.step
    async def count() -> int:
        return 1

    return count


def calls_a_step_in_a_task(desk: System) -> Callable[[], Awaitable[object]]:
    count = calls_a_step(desk)
    return lambda: asyncio.gather(count())


def publishes(desk: System) -> Callable[[], Awaitable[object]]:
    topic = desk.topic("orders", Order, key="id")
    return lambda: topic.publish(Order(id="a"))


def asks(_: System) -> Callable[[], Awaitable[object]]:
    return lambda: parti.ask("boss", "go on?")


def looks_at_the_clock(_: System) -> Callable[[], Awaitable[object]]:
    async def look() -> object:
        return parti.now()

    return look


def draws_an_id(_: System) -> Callable[[], Awaitable[object]]:
    async def draw() -> object:
        return parti.uuid()

    return draw


@pytest.mark.parametrize(
    "meddle", [calls_a_step, calls_a_step_in_a_task, publishes, asks, looks_at_the_clock, draws_an_id]
)
def test_no_part_can_be_used_between_the_pieces_since_a_replay_gets_others(in_world: Play, meddle: Any) -> None:
    async def main(world: World) -> None:
        async with world.running(a_meddler(meddle), script=Script(["roses are red"])) as live:
            with pytest.raises(PartiError, match="P301 no part can be used between the pieces of what `poet` says"):
                await live.call("poem", [])
            assert (await the_run(live)).state is State.DEAD

    in_world(main)


def test_a_piece_may_be_told_on_as_it_comes(in_world: Play) -> None:
    def tells(_: System) -> Callable[[], Awaitable[object]]:
        async def tell() -> None:
            parti.tell("more")

        return tell

    async def main(world: World) -> None:
        async with world.running(a_meddler(tells), script=Script(["roses are red"])) as live:
            assert await result_of(live, "poem") == "roses are red"

    in_world(main)


def test_parts_can_be_used_again_once_a_stream_that_was_left_is_read_to_its_end(in_world: Play) -> None:
    desk = System("desk")
    poet = desk.agent("poet", llm=desk.llm("local"))
    count = calls_a_step(desk)

    @desk.post("/poem")
    async def poem() -> object:
        work = poet.stream("write")
        async for _ in work:
            break
        async for _ in work:
            pass
        return await count()

    async def main(world: World) -> None:
        async with world.running(desk, script=Script(["roses are red"])) as live:
            assert await result_of(live, "poem") == 1

    in_world(main)


def test_a_replay_tells_all_that_was_said_in_all_turns(in_world: Play) -> None:
    sent = list[str]()
    desk = System("desk")

    @desk.step
    async def look() -> int:
        return 7

    @desk.tool(effect="write", key="id")
    async def send(id: str, text: str) -> None:
        sent.append(text)

    poet = desk.agent("poet", llm=desk.llm("local"), tools=[look])

    @desk.post("/poem", timeout="2h")
    async def poem() -> str:
        await send("poem", "".join([piece async for piece in poet.stream("write")]))
        await parti.sleep("1h")  # it leaves memory, and is replayed
        return "sent"

    async def main(world: World) -> None:
        script = Script([calls(("look", {}), text="let me see. "), "there are seven"])
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "poem") == "sent"
            assert sent == ["let me see. there are seven"]

    in_world(main)
