"""It waits for ever."""

from parti import (
    Label,
    System,
    ask,
)

desk = System("desk")


@desk.post("/loans", key="id", labels=Label.TRUSTED)
async def lend(id: str) -> bool:
    return await ask("boss", f"Lend {id}?")
