"""Given for credit, used for advertising."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Purpose,
    System,
)

desk = System("desk")


class Person(BaseModel):
    id: str
    income: Annotated[float, Purpose("credit")]


class Features(BaseModel):
    income: float


class Answer(BaseModel):
    value: float


people = desk.topic("people", Person, key="id")
offers = desk.model("offers", inputs=Features, output=Answer)


@desk.on(people)
async def offer(person: Person) -> None:
    await offers.predict(Features(income=person.income))
