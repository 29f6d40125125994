"""Two at once are enough."""

from typing import Literal

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str
    kind: Literal["book", "toy"]


orders = desk.topic("orders", Order, key="kind")


@desk.on(orders, concurrency=2)
async def handle(order: Order) -> None: ...
