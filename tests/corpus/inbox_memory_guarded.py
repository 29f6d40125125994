"""Only how long it was is remembered.

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
notes = desk.memory("notes", retain="1y")


@desk.guard(releases=Label.UNTRUSTED)
def words(text: str) -> int:
    return len(text.split())


@desk.source(to=mails)
def server(position: int) -> Iterator[Mail]:
    for number in range(position, 10):
        yield Mail(id=str(number), sender="", body="", customer="")


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    await notes.remember(f"{mail.customer} wrote {await words(mail.body)} words")


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
