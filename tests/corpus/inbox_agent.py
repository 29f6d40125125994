"""An agent reads mail and customers, and sends.

expects: R101
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


class Person(BaseModel):
    name: Annotated[str, Label.PII]
    city: str


@desk.tool(effect="read", labels=Label.TRUSTED, clearance=Label.PII)
async def person(customer: str) -> Person:
    return Person(name="Ann", city="Bonn")


@desk.tool(effect="write", key="id", idempotent=True, clearance=Label.PII)
async def send(id: str, to: str, text: str) -> None: ...


llm = desk.llm("local")
clerk = desk.agent("clerk", llm=llm, tools=[person, send], budget=Budget(usd=0.1))


@desk.source(to=mails)
def server(position: int) -> Iterator[Mail]:
    for number in range(position, 10):
        yield Mail(id=str(number), sender="", body="", customer="")


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    await clerk.run({"customer": mail.customer, "mail": mail.body})


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
