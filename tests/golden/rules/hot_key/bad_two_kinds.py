"""Two orders at once, not 64."""

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


@desk.on(orders)
async def handle(order: Order) -> None: ...
