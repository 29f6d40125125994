"""Two objects hold one each, and one of them is changed.

expects: nothing
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel

from parti import Budget, DeadLetter, Label, System

desk = System("inbox", responsible="operator")


class Mail(BaseModel):
    id: str
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
    one: dict[str, list[str]] = {"kept": []}
    other: dict[str, list[str]] = {"kept": []}
    one["kept"].append(mail.sender)
    other["kept"].append(mail.customer)
    await send(mail.id, other["kept"][0], one["kept"][0])


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
