"""So does a tool."""

from parti import (
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="id", approval="boss")
async def pay(id: str) -> None: ...
