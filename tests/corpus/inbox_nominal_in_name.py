"""A guard says that it gives a number of an order, but its type is any text by another name.

expects: R110
"""

import re
from collections.abc import Iterator
from typing import Annotated, NewType

from pydantic import BaseModel

from parti import (
    Budget,
    DeadLetter,
    Label,
    System,
)

desk = System("inbox", responsible="operator")


class Mail(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    sender: Annotated[str, Label.UNTRUSTED]
    body: Annotated[str, Label.UNTRUSTED]
    customer: Annotated[str, Label.TRUSTED]


mails = desk.topic("mails", Mail, key="id", retain="90d")


@desk.tool(effect="write", key="id", idempotent=True, control=["to"])
async def send(id: str, to: str, text: str) -> None: ...


OrderId = NewType("OrderId", str)


@desk.guard(releases=Label.UNTRUSTED)
def order_in(text: str) -> OrderId | None:
    found = re.search("[0-9]{8}", text)
    return OrderId(found[0]) if found else None


@desk.source(to=mails)
def server(position: int) -> Iterator[Mail]:
    for number in range(position, 10):
        yield Mail(id=str(number), sender="", body="", customer="")


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    number = await order_in(mail.body)
    if number is not None:
        await send(mail.id, f"{number}@orders.example.com", mail.body)


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
