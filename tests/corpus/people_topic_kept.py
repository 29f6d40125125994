"""Names are published, and kept for as long as they may be.

expects: nothing
"""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    DeadLetter,
    Label,
    System,
)

desk = System("people", retain="1y", keep={Label.PII: "1y"})


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII]
    mail: Annotated[str, Label.PII]
    city: str


register = desk.table("register", Person, key="id")
joined = desk.topic("joined", Person, key="id", retain="90d")


@desk.on(joined)
async def greet(person: Person) -> None:
    print(person.city)


@desk.on(joined.dead)
async def joined_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def add(person: Person) -> None:
    await register.put(person)
    await joined.publish(person)


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person | None:
    return await register.get(id)


@desk.delete("/people/{id}", key="id", labels=Label.TRUSTED)
async def remove(id: str) -> None:
    await register.delete(id)
