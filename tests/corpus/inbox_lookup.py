"""A stranger chooses the row that the address is taken from.

expects: R102
"""

from collections.abc import Iterator
from typing import Annotated

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


class Contact(BaseModel):
    id: str
    address: str


contacts = desk.table("contacts", Contact, key="id")


@desk.source(to=mails)
def server(position: int) -> Iterator[Mail]:
    for number in range(position, 10):
        yield Mail(id=str(number), sender="", body="", customer="")


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    row = await contacts.get(mail.sender)
    if row:
        await send(mail.id, row.address, "Thank you.")


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
