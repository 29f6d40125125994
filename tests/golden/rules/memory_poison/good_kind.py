"""Only of which kind it was."""

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


@desk.post("/mail", key="mail.id")
async def read(mail: Mail) -> None:
    await notes.remember(f"wrote about: {mail.kind}")
