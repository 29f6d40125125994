"""Any caller can have orders of others refunded."""

from parti import (
    Label,
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="order", idempotent=True)
async def refund(order: str, user: str) -> None: ...


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[refund])


@desk.post("/ask", key="user", labels=Label.TRUSTED)
async def ask_clerk(user: str, task: str) -> str:
    return await clerk.run(task)
