"""A key is an argument of a tool, which is journaled."""

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


@desk.tool(effect="read", labels=Label.TRUSTED)
async def call(key: str) -> str:
    return key


@desk.post("/accounts", key="account.id", durable=False, labels=Label.TRUSTED)
async def add(account: Account) -> None:
    await call(account.key)
