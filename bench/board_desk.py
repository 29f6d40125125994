"""The system that the board's benchmark looks at: orders that are decided in two steps, and topics on which nothing happens but what a probe publishes."""

from __future__ import annotations

from pydantic import BaseModel

from parti import System

PROBES = 24
"""Handlers that are each woken once, so that the page shows when."""

desk = System("bench-board")


class Order(BaseModel):
    """What comes in."""

    id: str
    amount: int


class Decision(BaseModel):
    """What goes out."""

    id: str
    total: int


orders = desk.topic("orders", Order, key="id")
decisions = desk.topic("decisions", Decision, key="id")
book = desk.table("book", Decision, key="id")


@desk.step
async def price(order: Order) -> int:
    """The first step."""
    return order.amount * 3


@desk.step
async def tax(price: int) -> int:
    """The second step."""
    return price + price // 5


@desk.on(orders, to=decisions, concurrency=64)
async def decide(order: Order) -> Decision:
    """Two steps, a row and an event."""
    decision = Decision(id=order.id, total=await tax(await price(order)))
    await book.put(decision)
    return decision


def add(number: int) -> None:
    """A topic of its own with a handler of its own."""
    topic = desk.topic(f"probes-{number}", Order, key="id", partitions=1)

    async def probe(order: Order) -> None:
        """Does nothing."""

    probe.__name__ = probe.__qualname__ = f"probe_{number}"
    desk.on(topic)(probe)


for one in range(PROBES):
    add(one)
