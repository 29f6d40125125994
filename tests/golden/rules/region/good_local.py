"""The model is here."""

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


people = desk.topic("people", Person, key="id")
llm = desk.llm("local")


@desk.on(people)
async def greet(person: Person) -> None:
    await llm.ask(f"Greet {person.name}")
