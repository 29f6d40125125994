"""A second try pays twice."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="id")
async def pay(id: str) -> None: ...


@desk.post("/pay", durable=False, labels=Label.TRUSTED)
async def order(id: str) -> None:
    await pay(id)
