"""To one in Europe, with a contract.

expects: nothing
"""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    Region,
    System,
)

desk = System("people", keep={Label.PII: "2y"})


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII, Region("eu")]
    mail: Annotated[str, Label.PII]
    city: str


register = desk.table("register", Person, key="id")
llm = desk.llm("openai:gpt-5-2025-08-07", timeout="5s", region="eu", processor="OpenAI Ireland")


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def add(person: Person) -> None:
    await register.put(person)
    await llm.ask(f"Greet {person.name}")


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person | None:
    return await register.get(id)


@desk.delete("/people/{id}", key="id", labels=Label.TRUSTED)
async def remove(id: str) -> None:
    await register.delete(id)
