"""Two helpers deep, the sender comes into a field of a record.

expects: R102
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
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


@dataclass
class State:
    to: str = ""
    log: list[str] = field(default_factory=list)


def note(state: State, text: str) -> None:
    put(state, text)


def put(state: State, text: str) -> None:
    state.log.append(text)


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    state = State()
    note(state, mail.sender)
    await send(mail.id, state.log[0], "")


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
