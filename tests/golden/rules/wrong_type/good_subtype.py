"""A big order is one."""

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str


class BigOrder(Order):
    pallets: int


class Basket(BaseModel):
    id: str


orders = desk.topic("orders", Order, key="id")


@desk.post("/orders", key="id", labels=Label.TRUSTED)
async def place(id: str) -> None:
    await orders.publish(BigOrder(id=id, pallets=2))
