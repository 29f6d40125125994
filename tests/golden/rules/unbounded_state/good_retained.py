"""Kept as long as they are needed."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str


orders = desk.topic("orders", Order, key="id", retain="30d")
