"""It has one tool that reads, pinned.

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

desk = System("inbox")


class Mail(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    sender: Annotated[str, Label.UNTRUSTED]
    body: Annotated[str, Label.UNTRUSTED]
    customer: Annotated[str, Label.TRUSTED]


mails = desk.topic("mails", Mail, key="id", retain="90d")
files = desk.mcp(
    "files",
    command=["files-server"],
    labels=Label.TRUSTED,
    only=["read"],
    effects={"read": "read"},
    pin="0123456789abcdef",
)
clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[files], budget=Budget(usd=0.1))


@desk.source(to=mails)
def server(position: int) -> Iterator[Mail]:
    for number in range(position, 10):
        yield Mail(id=str(number), sender="", body="", customer="")


@desk.on(mails, budget=Budget(usd=1))
async def read(mail: Mail) -> None:
    await clerk.run(mail.customer)


@desk.on(mails.dead)
async def mails_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
