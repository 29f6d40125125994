"""Nobody places orders."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str


orders = desk.topic("orders", Order, key="id")


@desk.on(orders)
async def handle(order: Order) -> None:
    print(order.id)
