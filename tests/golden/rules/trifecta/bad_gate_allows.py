"""The gate only notes it."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Gate,
    Label,
    System,
)

desk = System("desk", gate=Gate("allow"))


class Mail(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    body: Annotated[str, Label.UNTRUSTED]


class Person(BaseModel):
    name: Annotated[str, Label.PII]


llm = desk.llm("local")


@desk.tool(effect="read", labels=Label.TRUSTED)
async def person(id: str) -> Person:
    return Person(name="Ann")


@desk.tool(effect="write", key="to", idempotent=True)
async def send(to: str, text: str) -> None: ...


clerk = desk.agent("clerk", llm=llm, tools=[person, send])


@desk.post("/mail", key="mail.id")
async def read(mail: Mail) -> str:
    return await clerk.run(mail.body)
