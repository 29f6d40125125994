"""The tool reads the key where it needs it."""

import os
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
async def call(id: str) -> str:
    return os.environ["KEY"] + id


@desk.post("/accounts", key="account.id", durable=False, labels=Label.TRUSTED)
async def add(account: Account) -> None:
    await call(account.id)
