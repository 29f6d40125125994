"""Two agents share a model: one sees names, the other answers strangers.

expects: nothing
"""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Budget,
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
llm = desk.llm("local")
greeter = desk.agent("greeter", llm=llm, budget=Budget(usd=1))
guide = desk.agent("guide", llm=llm, budget=Budget(usd=1))


@desk.post("/guide", key="id", labels=Label.UNTRUSTED, discloses="the page", timeout="5m")
async def question(id: str, text: str) -> str:
    return await guide.run(text)


@desk.post("/people", key="person.id", timeout="5m", labels=Label.TRUSTED)
async def add(person: Person) -> None:
    await register.put(person)
    await greeter.run(person.name)


@desk.get("/people/{id}", labels=Label.TRUSTED)
async def look(id: str) -> Person | None:
    return await register.get(id)


@desk.delete("/people/{id}", key="id", labels=Label.TRUSTED)
async def remove(id: str) -> None:
    await register.delete(id)
