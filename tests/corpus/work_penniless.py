"""A budget that pays for no answer.

expects: R503
"""

from parti import (
    Budget,
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))
writer = desk.agent("writer", llm=llm, budget=Budget(usd=0.001))


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="20m", budget=Budget(usd=0.5))
async def work(id: str, task: str) -> str:
    text = ""
    text = await writer.run(task)
    return text
