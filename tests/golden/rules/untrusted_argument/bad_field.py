"""The recipient is what a stranger wrote."""

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
    account: Annotated[str, Label.TRUSTED]


class Account(BaseModel):
    id: str
    number: str


accounts = desk.table("accounts", Account, key="id")


@desk.tool(effect="write", key="id", idempotent=True, control=["to"])
async def pay(id: str, to: str, text: str) -> None: ...


@desk.post("/mail", key="mail.id")
async def read(mail: Mail) -> None:
    await pay(mail.id, mail.body, mail.body)
