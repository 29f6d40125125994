"""The city is no personal data."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII]
    city: str


people = desk.table("people", Person, key="id")


@desk.tool(effect="read", labels=Label.TRUSTED)
async def fetch(url: str) -> str:
    return ""


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> None:
    person = await people.get(id)
    assert person
    await fetch(f"https://maps.example/?q={person.city}")
