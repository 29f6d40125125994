"""A name is refused before it goes to a model of a provider.

expects: nothing
"""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Gate,
    Label,
    System,
)

desk = System("people", keep={Label.PII: "2y"}, gate=Gate("refuse"))


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII]
    mail: Annotated[str, Label.PII]
    city: str


register = desk.table("register", Person, key="id")
llm = desk.llm("openai:gpt-5-2025-08-07", timeout="5s")


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def add(person: Person) -> None:
    await register.put(person)
    await llm.ask(f"Greet {person.name} of {person.city}")


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person | None:
    return await register.get(id)


@desk.delete("/people/{id}", key="id", labels=Label.TRUSTED)
async def remove(id: str) -> None:
    await register.delete(id)
