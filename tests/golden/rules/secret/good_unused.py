"""Nothing keeps it."""

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


@desk.post("/accounts", key="account.id", durable=False, labels=Label.TRUSTED)
async def add(account: Account) -> None:
    print(account.id)
