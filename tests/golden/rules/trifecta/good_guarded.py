"""What it reads of the mail is one of three words."""

from typing import Annotated, Literal

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


@desk.tool(effect="write", key="to", idempotent=True)
async def send(to: str, text: str) -> None: ...


@desk.guard(releases=Label.UNTRUSTED)
def kind_of(text: str) -> Literal["order", "complaint", "other"]:
    return "order" if "order" in text else "other"


clerk = desk.agent("clerk", llm=llm, tools=[person, send])


@desk.post("/mail", key="mail.id")
async def read(mail: Mail) -> str:
    return await clerk.run(await kind_of(mail.body))
