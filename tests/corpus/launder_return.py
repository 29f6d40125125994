"""A function returns one address or the other, as the mail says.

expects: R102
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


def desk_for(text: str) -> str:
    if "buy" in text:
        return "sales@example.com"
    return "support@example.com"


def customer_of(mail: Mail) -> str | None:
    if not mail.body:
        return None
    return mail.customer


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    await send(mail.id, desk_for(mail.body), "")


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
