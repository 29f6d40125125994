"""So can programs that call the agent."""

from parti import (
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="order", idempotent=True)
async def refund(order: str, user: str) -> None: ...


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[refund], expose=["mcp"])
