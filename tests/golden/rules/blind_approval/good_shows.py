"""It shows what it is about, and silence is a no."""

from parti import (
    Label,
    System,
    ask,
)

desk = System("desk")


@desk.post("/loans", key="id", labels=Label.TRUSTED)
async def lend(id: str, amount: int) -> bool:
    return await ask("boss", f"Approve {id} over {amount}?", timeout="2d", default=False)
