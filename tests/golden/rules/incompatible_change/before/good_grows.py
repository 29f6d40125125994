"""The version before."""

from pydantic import BaseModel

from parti import System

desk = System("desk")


class Order(BaseModel):
    id: str


class Row(BaseModel):
    id: str


class Found(BaseModel):
    id: str


orders = desk.topic("orders", Order, key="id")
rows = desk.table("rows", Row, key="id")


@desk.get("/orders/{id}")
async def find(id: str) -> Found:
    return Found(id=id)
