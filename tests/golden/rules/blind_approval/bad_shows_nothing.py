"""The question says nothing of the matter."""

from parti import (
    Label,
    System,
    ask,
)

desk = System("desk")


@desk.post("/loans", key="id", labels=Label.TRUSTED)
async def lend(id: str, amount: int) -> bool:
    return await ask("boss", "Approve the loan?", timeout="2d", default=False)
