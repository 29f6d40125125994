"""Another run left the recipient in a list: the run that pays has read nothing."""

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


@desk.tool(effect="write", key="id", idempotent=True, control=["to"])
async def pay(id: str, to: str, text: str) -> None: ...


WAITING: list[str] = []


@desk.post("/pay", key="id", labels=Label.TRUSTED)
async def settle(id: str) -> None:
    await pay(id, WAITING[0], "")


@desk.post("/mail", key="mail.id")
async def read(mail: Mail) -> None:
    WAITING.append(mail.body)
