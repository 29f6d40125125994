"""The title of the receipt is labelled by itself.

expects: nothing
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


class Entry(BaseModel):
    id: int
    title: str


@desk.tool(effect="write", key="title", idempotent=True, labels={"id": Label.TRUSTED, "title": Label.UNTRUSTED})
async def book(title: str) -> Entry:
    return Entry(id=1, title=title)


@desk.source(to=mails)
def server(position: int) -> Iterator[Mail]:
    for number in range(position, 10):
        yield Mail(id=str(number), sender="", body="", customer="")


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    entry = await book(mail.body)
    await send(mail.id, f"{entry.id}@rooms.example.com", entry.title)


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
