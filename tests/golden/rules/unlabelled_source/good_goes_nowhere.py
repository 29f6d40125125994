"""What comes in goes nowhere."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str
    note: str


orders = desk.topic("orders", Order, key="id")


@desk.get("/orders/{id}")
async def look(id: str) -> str:
    return id


@desk.on(orders)
async def handle(order: Order) -> None: ...
