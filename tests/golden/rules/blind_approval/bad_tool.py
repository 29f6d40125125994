"""Silence is a yes to a tool."""

from parti import (
    Approval,
    Label,
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="id", idempotent=True, approval=Approval("boss", timeout="1h", default=True))
async def pay(id: str, amount: int) -> bool:
    return True


@desk.post("/loans", key="id", labels=Label.TRUSTED)
async def lend(id: str, amount: int) -> bool:
    return await pay(id, amount)
