"""Nothing deletes a person."""

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


people = desk.table("people", Person, key="id")


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def add(person: Person) -> None:
    await people.put(person)
