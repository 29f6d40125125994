"""Enums, numbers and nominal ids."""

from typing import Literal, NewType

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")
OrderId = NewType("OrderId", str)


class Found(BaseModel):
    kind: Literal["order", "other"]
    order: OrderId | None
    amount: float
    urgent: bool


@desk.guard(releases=Label.UNTRUSTED)
def read(text: str) -> Found:
    return Found(kind="other", order=None, amount=0, urgent=False)
