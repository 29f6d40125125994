"""Three rounds at most.

expects: nothing
"""

from parti import (
    Budget,
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="20m", budget=Budget(usd=0.5))
async def work(id: str, task: str) -> str:
    text = ""
    for _ in range(3):
        text = await llm.ask(f"{task}\n{text}")
        if len(text) > 100:
            break
    return text
