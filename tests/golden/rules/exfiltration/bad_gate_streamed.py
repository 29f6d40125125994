"""What is told on the way has left before the answer comes to its gate."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Gate,
    Label,
    System,
    tell,
)

desk = System("desk", gate=Gate("refuse"))


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII]


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def find(person: Person) -> str:
    tell(person.name)
    return person.id
