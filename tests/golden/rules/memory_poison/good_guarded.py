"""A guard comes first."""

from typing import Annotated, Literal

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")
notes = desk.memory("notes", retain="90d")


class Mail(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    body: Annotated[str, Label.UNTRUSTED]
    kind: Annotated[Literal["order", "other"], Label.TRUSTED]


@desk.guard(releases=Label.UNTRUSTED)
def length(text: str) -> int:
    return len(text.split())


@desk.post("/mail", key="mail.id")
async def read(mail: Mail) -> None:
    await notes.remember(f"in words: {await length(mail.body)}")
