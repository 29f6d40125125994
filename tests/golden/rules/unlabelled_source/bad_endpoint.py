"""An endpoint without labels."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str
    note: str


orders = desk.topic("orders", Order, key="id")


@desk.post("/orders", key="order.id")
async def place(order: Order) -> None:
    await orders.publish(order)


@desk.on(orders)
async def handle(order: Order) -> None: ...
