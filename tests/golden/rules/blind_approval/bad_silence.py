"""Silence is a yes."""

from parti import (
    Label,
    System,
    ask,
)

desk = System("desk")


@desk.post("/loans", key="id", labels=Label.TRUSTED)
async def lend(id: str, amount: int) -> bool:
    return await ask("boss", f"Approve {amount}?", timeout="2d", default=True)
