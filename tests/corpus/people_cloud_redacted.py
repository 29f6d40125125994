"""A guard takes the name out first.

expects: nothing
"""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("people", keep={Label.PII: "2y"})


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII]
    mail: Annotated[str, Label.PII]
    city: str


register = desk.table("register", Person, key="id")
llm = desk.llm("openai:gpt-5-2025-08-07", timeout="5s")


@desk.guard(releases=Label.PII, timeout="5s")
def initials(name: str) -> str:
    return "".join(word[0] for word in name.split())


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def add(person: Person) -> None:
    await register.put(person)
    await llm.ask(f"Greet {await initials(person.name)} of {person.city}")


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person | None:
    return await register.get(id)


@desk.delete("/people/{id}", key="id", labels=Label.TRUSTED)
async def remove(id: str) -> None:
    await register.delete(id)
