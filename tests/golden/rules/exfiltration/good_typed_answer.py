"""The type of the answer says that it holds a name."""

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


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person:
    person = await people.get(id)
    assert person
    return person
