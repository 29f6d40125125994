"""A gate does not hold strangers off a tool that only reads."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Gate,
    Label,
    System,
)

desk = System("desk", gate=Gate("refuse"))


class Mail(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    body: Annotated[str, Label.UNTRUSTED]


@desk.tool(effect="read", control=["to"])
async def pay(id: str, to: str, text: str) -> None: ...


@desk.post("/mail", key="mail.id")
async def read(mail: Mail) -> None:
    await pay(mail.id, mail.body, mail.body)
