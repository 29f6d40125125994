"""What decides is traced, and refused where a stranger chose it."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Gate,
    Label,
    System,
)

desk = System("desk")


class Mail(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    body: Annotated[str, Label.UNTRUSTED]


@desk.tool(
    effect="write",
    key="id",
    idempotent=True,
    control=["to"],
    clearance=Label.UNTRUSTED,
    gate=Gate("refuse", trace=True),
)
async def pay(id: str, to: str, text: str) -> None: ...


@desk.post("/mail", key="mail.id")
async def read(mail: Mail) -> None:
    await pay(mail.id, mail.body, mail.body)
