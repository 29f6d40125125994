"""The budget is enough, and a stop is caught.

expects: nothing
"""

from parti import (
    AgentStopped,
    Budget,
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))
writer = desk.agent("writer", llm=llm, budget=Budget(usd=0.2))


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="20m", budget=Budget(usd=0.5))
async def work(id: str, task: str) -> str:
    text = ""
    try:
        text = await writer.run(task)
    except AgentStopped as stopped:
        text = stopped.outcome.text
    return text
