"""Its failure is caught.

expects: nothing
"""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    Slo,
    StepFailed,
    System,
)

desk = System("people", slo=Slo(p99="5s"), keep={Label.PII: "2y"})


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
    try:
        await llm.ask(f"Greet somebody of {person.city}")
    except StepFailed:
        print("later")


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person | None:
    return await register.get(id)


@desk.delete("/people/{id}", key="id", labels=Label.TRUSTED)
async def remove(id: str) -> None:
    await register.delete(id)
