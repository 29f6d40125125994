"""Somebody does."""

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str


orders = desk.topic("orders", Order, key="id")


@desk.post("/orders", key="order.id", labels=Label.TRUSTED)
async def place(order: Order) -> None:
    await orders.publish(order)


@desk.on(orders)
async def handle(order: Order) -> None:
    print(order.id)
