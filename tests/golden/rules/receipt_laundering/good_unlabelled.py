"""It is as untrusted as what went in."""

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Entry(BaseModel):
    id: int
    title: str


@desk.tool(effect="write", key="title", idempotent=True, control=[])
async def book(title: str) -> Entry:
    return Entry(id=1, title=title)


@desk.post("/rooms", key="title", labels=Label.UNTRUSTED)
async def reserve(title: str) -> str:
    return (await book(title)).title
