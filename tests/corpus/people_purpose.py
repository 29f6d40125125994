"""Addresses given for deliveries are used for advertising.

expects: R204
"""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    Purpose,
    System,
)

desk = System("people", keep={Label.PII: "2y"})


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII]
    mail: Annotated[str, Label.PII, Purpose("delivery")]
    city: str


register = desk.table("register", Person, key="id")


@desk.tool(effect="write", key="to", idempotent=True, clearance=[Label.PII, Purpose("advertising")])
async def advertise(to: str) -> None: ...


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def add(person: Person) -> None:
    await register.put(person)
    await advertise(person.mail)


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person | None:
    return await register.get(id)


@desk.delete("/people/{id}", key="id", labels=Label.TRUSTED)
async def remove(id: str) -> None:
    await register.delete(id)
