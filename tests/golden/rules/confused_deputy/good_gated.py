"""A caller is a stranger, so a person is asked before each refund."""

from parti import (
    Gate,
    Label,
    System,
)

desk = System("desk", gate=Gate("ask", who="boss"))


@desk.tool(effect="write", key="order", idempotent=True)
async def refund(order: str, user: str) -> None: ...


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[refund])


@desk.post("/ask", key="user", labels=Label.UNTRUSTED)
async def ask_clerk(user: str, task: str) -> str:
    return await clerk.run(task)
