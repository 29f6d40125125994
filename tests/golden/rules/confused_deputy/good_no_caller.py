"""Only a schedule sets it to work."""

from parti import (
    System,
)

desk = System("desk")


@desk.tool(effect="write", key="order", idempotent=True)
async def refund(order: str, user: str) -> None: ...


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[refund])


@desk.every("1d")
async def nightly() -> None:
    await clerk.run("look for orders to refund")
