"""A call with a key in it is refused, and not journaled."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Gate,
    Label,
    System,
)

desk = System("desk", gate=Gate("refuse"))


class Account(BaseModel):
    id: str
    key: Annotated[str, Label.SECRET]


@desk.tool(effect="read", labels=Label.TRUSTED)
async def call(key: str) -> str:
    return key


@desk.post("/accounts", key="account.id", labels=Label.TRUSTED)
async def add(account: Account) -> None:
    await call(account.key)
