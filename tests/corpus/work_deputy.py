"""Callers have pages changed with the rights of the service.

expects: R112
"""

from parti import (
    Budget,
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))


@desk.tool(effect="write", key="page", idempotent=True)
async def change(page: str, text: str) -> None: ...


clerk = desk.agent("clerk", llm=llm, tools=[change], budget=Budget(usd=0.2))


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="20m", budget=Budget(usd=0.5))
async def work(id: str, task: str) -> str:
    text = ""
    text = await clerk.run(task)
    return text
