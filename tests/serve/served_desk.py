"""A desk with an agent of each kind that programs outside may call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

import parti
from parti import System, ask
from parti.testing import Script, running
from parti.testing.live import Live


class Letter(BaseModel):
    """A letter to a customer."""

    to: str
    text: str


class Order(BaseModel):
    id: str
    cents: int = 0


def a_desk(**options: Any) -> System:
    desk = System("desk")
    llm = desk.llm("local")

    @desk.tool(effect="write", key="to", approval="boss")
    async def post(to: str) -> str:
        """Post a letter."""
        return f"posted to {to}"

    desk.agent("poet", llm=llm, instructions="Write poems.", expose=("openai", "mcp", "a2a"), **options)
    desk.agent("writer", llm=llm, output=Letter, expose=("openai", "mcp", "a2a"), repairs=1)
    desk.agent("poster", llm=llm, tools=[post], expose=("openai", "mcp", "a2a"))
    desk.agent("hidden", llm=llm)

    @desk.post("/orders", key="order.id", expose=("mcp",))
    async def place(order: Order, urgent: bool = False) -> Order:
        """Place an order."""
        parti.tell("placing")
        if order.cents < 0:
            raise ValueError("secret")
        return order.model_copy(update={"cents": order.cents + 1})

    @desk.get("/orders/{id}", expose=("mcp",))
    async def total(id: str) -> int:
        """What an order costs."""
        return len(id)

    @desk.post("/wait", expose=("mcp",))
    async def wait() -> bool:
        """Wait for a person."""
        return bool(await ask("boss", "Go on?"))

    return desk


def in_desk(test: Callable[[Live], Awaitable[None]], script: Any = (), **options: Any) -> None:
    """Run a test against a desk that is served on loopback."""

    async def main() -> None:
        played = script if isinstance(script, Script) else Script(script)
        async with running(a_desk(**options), http=True, script=played) as live:
            await test(live)

    asyncio.run(asyncio.wait_for(main(), 30))


async def asked(live: Live) -> None:
    """Return once a person is asked."""
    while not await live.store.questions():
        await live.engine.clock.wait(0.01)
