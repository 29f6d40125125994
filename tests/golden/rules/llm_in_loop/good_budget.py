"""At most for ten cents."""

from parti import (
    Budget,
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("local")


@desk.post("/draft", key="id", labels=Label.TRUSTED, budget=Budget(usd=0.1), discloses="the page")
async def draft(id: str, task: str) -> str:
    text = ""
    while len(text) < 100:
        text = await llm.ask(task)
    return text
