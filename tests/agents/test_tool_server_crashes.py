"""Whenever the process ends, a tool of a server is called again only where that does no harm, and always with its key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from engine_kit import World, play, result_of

from parti import System
from parti.design.tool_server import ToolServer
from parti.ports.llm import Answer, Request, Returned, Said
from parti.ports.store import State
from parti.ports.tool_server import Connection, Reply
from parti.testing import Script, calls, said

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}


class Beyond:
    """A server that takes a while, and notes the key of each write. Implements ports.tool_server.Connection."""

    def __init__(self, reach: str) -> None:
        self.stale = False
        self.reach = reach
        self.writes: list[tuple[str, str]] = []
        self.lists = 0

    async def list(self) -> Sequence[Mapping[str, Any]]:
        self.lists += 1
        await asyncio.sleep(0.002)
        return [{"name": "post", "description": "Post it.", "inputSchema": SCHEMA, "reach": self.reach}]

    async def call(self, tool: str, arguments: Mapping[str, Any], *, key: str) -> Reply:
        self.writes.append((arguments["id"], key))
        await asyncio.sleep(0.003)
        return Reply("posted")

    async def close(self) -> None:
        """Nothing is held."""


def a_desk() -> System:
    desk = System("desk")
    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[desk.mcp("far", url="http://far/mcp")], turns=40)

    @desk.post("/work", timeout="1h")
    async def work() -> str:
        return await clerk.run("post all")

    return desk


def _act(request: Request) -> Answer:
    turn = sum(not isinstance(message, Said | Returned) for message in request.messages)
    return said("done") if turn == 3 else calls(("far_post", {"id": f"x{turn}"}))


@pytest.mark.parametrize("reach", ["write", "idempotent"])
@pytest.mark.parametrize("after", range(0, 44, 2))
def test_no_write_is_repeated_in_silence(after: int, reach: str) -> None:
    beyond, script = Beyond(reach), Script(_act)

    def connect(server: ToolServer) -> Connection:
        return beyond

    async def main(world: World) -> None:
        async with world.running(a_desk(), script=script, connect=connect, crash=True) as live:
            asked = asyncio.ensure_future(live.call("work", [], idempotency_key="k"))
            await asyncio.sleep(after / 1000)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        before = list(beyond.writes)
        async with world.running(a_desk(), script=script, connect=connect) as live:
            work = asyncio.ensure_future(result_of(live, "work", idempotency_key="k"))
            await live.idle()
            parked = await live.store.runs(state=State.PARKED)
            if parked:
                assert beyond.writes == before, "what is in doubt is not repeated"
                await live.answer_all(b'{"happened": true, "result": {"text": "posted"}}')
            assert await work == "done"
        assert bool(parked) <= (reach == "write")
        ids = [id for id, _ in beyond.writes]
        assert set(ids) == {"x0", "x1", "x2"} or (parked and before == [])
        if reach == "write":
            assert len(ids) == len(set(ids)), "made twice"
        assert len({key for _, key in beyond.writes}) == len(set(ids)), "one key for each effect"

    play(main)
