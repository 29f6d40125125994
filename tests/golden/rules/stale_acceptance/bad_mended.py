"""What was accepted is mended."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str


orders = desk.topic("orders", Order, key="id", retain="30d")


desk.accept("R404", on=orders, reason="It is small.", until="2030-01-01")
