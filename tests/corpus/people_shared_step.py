"""One step tidies names and public questions: the two do not meet.

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


@desk.step(timeout="5s")
def tidy(text: str) -> str:
    return " ".join(text.split())


@desk.get("/echo", labels=Label.UNTRUSTED)
async def echo(text: str) -> str:
    return await tidy(text)


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def add(person: Person) -> None:
    await register.put(person)
    await tidy(person.name)


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person | None:
    return await register.get(id)


@desk.delete("/people/{id}", key="id", labels=Label.TRUSTED)
async def remove(id: str) -> None:
    await register.delete(id)
