"""A field with a default, an upcast, a new part, and an answer that says more."""

from typing import Any

from pydantic import BaseModel

from parti import System

desk = System("desk")


class Order(BaseModel):
    id: str
    note: str = ""


class Row(BaseModel):
    id: str
    name: str


class Found(BaseModel):
    id: str
    name: str


def named(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "name": ""}


orders = desk.topic("orders", Order, key="id")
rows = desk.table("rows", Row, key="id", upcast=named)


@desk.get("/orders/{id}")
async def find(id: str, depth: int = 1) -> Found:
    return Found(id=id, name="")
