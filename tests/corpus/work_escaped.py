"""It is escaped first.

expects: nothing
"""

import html

from parti import (
    Budget,
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))


@desk.tool(effect="write", key="page", idempotent=True, runs={"page": "html"})
async def show(page: str) -> None: ...


@desk.guard(releases=Label.GENERATED)
def escaped(text: str) -> str:
    return html.escape(text)


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="20m", budget=Budget(usd=0.5))
async def work(id: str, task: str) -> str:
    text = ""
    await show(await escaped(await llm.ask(task)))
    return text
