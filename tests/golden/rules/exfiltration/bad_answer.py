"""A caller gets a name that the type of the answer does not speak of."""

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
async def look(id: str) -> str:
    person = await people.get(id)
    assert person
    return person.name.upper()
