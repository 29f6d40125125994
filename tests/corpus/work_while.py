"""Until it is long enough.

expects: R501
"""

from parti import (
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))


@desk.post("/work", key="id", labels=Label.TRUSTED, discloses="the page", timeout="20m")
async def work(id: str, task: str) -> str:
    text = ""
    while len(text) < 100:
        text += await llm.ask(task)
    return text
