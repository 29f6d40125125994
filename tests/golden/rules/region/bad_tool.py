"""The tool does not say where it is."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Region,
    System,
)

desk = System("desk")


class Person(BaseModel):
    id: str
    name: Annotated[str, Region("eu")]


@desk.tool(effect="write", key="name", idempotent=True)
async def greet(name: str) -> None: ...


people = desk.topic("people", Person, key="id")


@desk.on(people)
async def hello(person: Person) -> None:
    await greet(person.name)
