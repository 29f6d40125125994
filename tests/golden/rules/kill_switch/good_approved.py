"""Each effect is approved."""

from parti import (
    Approval,
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="id", idempotent=True, approval=Approval("boss", timeout="1d"))
async def post(id: str) -> None: ...


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[post])
