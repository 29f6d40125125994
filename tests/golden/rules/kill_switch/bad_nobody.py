"""Nobody is named."""

from parti import (
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="id", idempotent=True)
async def post(id: str) -> None: ...


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[post])
