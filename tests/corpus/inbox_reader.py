"""A model without tools reads, a guard makes an enum of it.

expects: nothing
"""

from collections.abc import Iterator
from typing import Annotated, Literal

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


llm = desk.llm("local")


@desk.guard(releases=[Label.UNTRUSTED, Label.GENERATED])
def kind_of(text: str) -> Literal["order", "other"]:
    return "order" if "order" in text else "other"


@desk.source(to=mails)
def server(position: int) -> Iterator[Mail]:
    for number in range(position, 10):
        yield Mail(id=str(number), sender="", body="", customer="")


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    said = await llm.ask(f"What is this about? {mail.body}")
    if await kind_of(said) == "order":
        await send(mail.id, "orders@example.com", mail.body)


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
