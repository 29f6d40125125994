"""There is a way back."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="id", idempotent=True)
async def restore(id: str) -> None: ...


@desk.tool(effect="write", key="id", idempotent=True, undo=restore)
async def wipe(id: str) -> None: ...


@desk.post("/wipe", key="id", labels=Label.TRUSTED)
async def clear(id: str) -> None:
    await wipe(id)
