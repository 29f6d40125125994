"""Its type says what strangers write."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    note: Annotated[str, Label.UNTRUSTED]


orders = desk.topic("orders", Order, key="id")


@desk.source(to=orders)
def shop(position: int) -> Iterator[Order]:
    yield Order(id="1", note="")


@desk.on(orders)
async def handle(order: Order) -> None: ...
