"""It is said to be trusted."""

from collections.abc import Iterator

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str
    note: str


orders = desk.topic("orders", Order, key="id")


@desk.source(to=orders, labels=Label.TRUSTED)
def shop(position: int) -> Iterator[Order]:
    yield Order(id="1", note="")


@desk.on(orders)
async def handle(order: Order) -> None: ...
