"""Orders are kept for ever, and runs."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk", retain=None)


class Order(BaseModel):
    id: str


orders = desk.topic("orders", Order, key="id")
