"""The caller waits ten seconds for what may take three minutes.

expects: R306
"""

from parti import (
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="10s")
async def work(id: str, task: str) -> str:
    text = ""
    text = await llm.ask(task)
    return text
