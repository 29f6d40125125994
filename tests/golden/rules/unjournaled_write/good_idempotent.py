"""The bank knows the key."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="id", idempotent=True)
async def pay(id: str) -> None: ...


@desk.post("/pay", durable=False, labels=Label.TRUSTED)
async def order(id: str) -> None:
    await pay(id)
