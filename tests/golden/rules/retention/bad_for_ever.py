"""Names are kept for ever."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII]


people = desk.topic("people", Person, key="id")
