"""A run remembers."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="id")
async def pay(id: str) -> None: ...


@desk.post("/pay", labels=Label.TRUSTED)
async def order(id: str) -> None:
    await pay(id)
