"""The account that is charged is read out of the note.

expects: R102
"""

import re
from typing import Annotated

from pydantic import BaseModel

from parti import (
    DeadLetter,
    Label,
    System,
)

desk = System("shop")


class Order(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    cents: Annotated[int, Label.TRUSTED]
    note: Annotated[str, Label.UNTRUSTED]


orders = desk.topic("orders", Order, key="id", retain="30d")
book = desk.table("book", Order, key="id")


@desk.tool(effect="write", key="id", idempotent=True, control=["account"])
async def debit(id: str, account: str) -> None: ...


@desk.tool(effect="write", key="order.id", idempotent=True)
async def charge(order: Order) -> None: ...


@desk.on(orders)
async def handle(order: Order) -> None:
    await debit(order.id, re.sub(r"\D", "", order.note))
    await charge(order)
    await book.put(order)


@desk.post("/orders", key="order.id", labels=[])
async def place(order: Order) -> str:
    await orders.publish(order)
    return order.id


@desk.get("/orders/{id}")
async def look(id: str) -> Order | None:
    return await book.get(id)


@desk.on(orders.dead)
async def orders_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
