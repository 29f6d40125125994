"""What is written again letter by letter is a customer of ours.

expects: nothing
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel

from parti import Budget, DeadLetter, Label, System

desk = System("inbox", responsible="operator")


class Mail(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    sender: Annotated[str, Label.UNTRUSTED]
    body: Annotated[str, Label.UNTRUSTED]
    customer: Annotated[str, Label.TRUSTED]


mails = desk.topic("mails", Mail, key="id", retain="90d")


@desk.tool(effect="write", key="id", idempotent=True, control=["to"])
async def send(id: str, to: str, text: str) -> None: ...


@desk.source(to=mails)
def server(position: int) -> Iterator[Mail]:
    for number in range(position, 10):
        yield Mail(id=str(number), sender="", body="", customer="")


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    to = ""
    for letter in mail.customer:
        if letter == "a":
            to += "a"
        elif letter == "b":
            to += "b"
    await send(mail.id, to, mail.sender)


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
