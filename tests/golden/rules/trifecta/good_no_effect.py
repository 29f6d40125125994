"""It can do nothing outside."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Mail(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    body: Annotated[str, Label.UNTRUSTED]


class Person(BaseModel):
    name: Annotated[str, Label.PII]


llm = desk.llm("local")


@desk.tool(effect="read", labels=Label.TRUSTED)
async def person(id: str) -> Person:
    return Person(name="Ann")


clerk = desk.agent("clerk", llm=llm, tools=[person])


@desk.post("/mail", key="mail.id")
async def read(mail: Mail) -> str:
    return await clerk.run(mail.body)
