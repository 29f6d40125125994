"""A model may make a failed write of a tool server again, and write its arguments in another order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine_kit import Play, World, result_of

from parti import System
from parti.ports.tool_server import Reply, ServerFailure
from parti.testing import Script, calls

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "object"}}}


class Beyond:
    """A server that is too busy at first, and keeps what it is asked."""

    def __init__(self) -> None:
        self.stale = False
        self.asked: list[tuple[str, str]] = []

    async def list(self) -> list[Mapping[str, Any]]:
        return [{"name": "post", "inputSchema": SCHEMA, "reach": "write"}]

    async def call(self, tool: str, arguments: Mapping[str, Any], *, key: str) -> Reply:
        self.asked.append((str(arguments), key))
        if len(self.asked) == 1:
            raise ServerFailure("429 too often", sent=False)
        return Reply("posted")

    async def close(self) -> None:
        return None


def test_arguments_in_another_order_are_the_same_write(in_world: Play) -> None:
    desk, beyond = System("desk"), Beyond()
    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[desk.mcp("far", url="http://far/mcp")])
    first, again = (
        {"a": "1", "b": {"x": 1, "y": [{"p": 1, "q": 2}]}},
        {"b": {"y": [{"q": 2, "p": 1}], "x": 1}, "a": "1"},
    )
    script = Script([calls(("far_post", first)), calls(("far_post", again)), "done"])

    @desk.post("/go", timeout="1h")
    async def go() -> str:
        return await clerk.run("post it")

    async def main(world: World) -> None:
        async with world.running(desk, script=script, connect=lambda server: beyond) as live:
            assert await result_of(live, "go") == "done"
        assert len(beyond.asked) == 2
        assert len(set(beyond.asked)) == 1, "the same arguments under the same key"

    in_world(main)
