"""Pages are wiped for good once a person has said so.

expects: nothing
"""

from parti import (
    Approval,
    Budget,
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))


@desk.tool(effect="write", key="id", idempotent=True, undo="never", approval=Approval("editor", timeout="1d"))
async def wipe(id: str) -> None: ...


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="20m", budget=Budget(usd=0.5))
async def work(id: str, task: str) -> str:
    text = ""
    await wipe(id)
    return text
