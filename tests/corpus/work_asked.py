"""The editor sees what it is about, and a day later it is a no.

expects: nothing
"""

from parti import (
    Budget,
    Label,
    Price,
    System,
    ask,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="20m", budget=Budget(usd=0.5))
async def work(id: str, task: str) -> str:
    text = ""
    if await ask("editor", f"Print {task}?", timeout="1d", default=False):
        text = task
    return text
