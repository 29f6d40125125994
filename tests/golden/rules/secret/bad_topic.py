"""A key is published."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Account(BaseModel):
    id: str
    key: Annotated[str, Label.SECRET]


llm = desk.llm("local")
accounts = desk.topic("accounts", Account, key="id")


@desk.post("/accounts", key="account.id", durable=False, labels=Label.TRUSTED)
async def add(account: Account) -> None:
    await accounts.publish(account)
