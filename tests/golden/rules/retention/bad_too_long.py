"""Longer than is allowed."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk", keep={Label.PII: "1y"})


class Person(BaseModel):
    id: str
    name: Annotated[str, Label.PII]


people = desk.topic("people", Person, key="id", retain="2y")
