"""Decided in an endpoint that is no run."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.post("/loans", durable=False, labels=Label.TRUSTED)
async def decide(amount: int) -> bool:
    return amount < 100


desk.decision("loan", by=decide, of="credit")
