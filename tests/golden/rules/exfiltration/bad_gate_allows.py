"""The gate only notes it."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Gate,
    Label,
    System,
)

desk = System("desk")


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII]


@desk.tool(effect="read", labels=Label.TRUSTED, gate=Gate("allow"))
async def search(url: str) -> str:
    return url


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def find(person: Person) -> None:
    await search(f"https://example.org?q={person.name}")
