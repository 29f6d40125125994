"""Pages are wiped for good.

expects: R114
"""

from parti import (
    Budget,
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))


@desk.tool(effect="write", key="id", idempotent=True, undo="never")
async def wipe(id: str) -> None: ...


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="20m", budget=Budget(usd=0.5))
async def work(id: str, task: str) -> str:
    text = ""
    await wipe(id)
    return text
