"""No personal data."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Person(BaseModel):
    id: str
    name: str


people = desk.topic("people", Person, key="id")
