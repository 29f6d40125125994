"""A key is printed.

expects: R105
"""

import logging
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


class Login(BaseModel):
    token: Annotated[str, Label.SECRET]


@desk.tool(effect="read", labels=Label.TRUSTED)
async def vault(id: str) -> Login:
    return Login(token="")


register = desk.table("register", Person, key="id")


@desk.post("/people", key="person.id", labels=Label.TRUSTED)
async def add(person: Person) -> None:
    login = await vault(person.id)
    await register.put(person)
    logging.info("added %s", login.token)


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person | None:
    return await register.get(id)


@desk.delete("/people/{id}", key="id", labels=Label.TRUSTED)
async def remove(id: str) -> None:
    await register.delete(id)
