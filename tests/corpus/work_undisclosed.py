"""Nobody says that a machine answers.

expects: R210
"""

from parti import (
    Label,
    Price,
    System,
)

desk = System("work", responsible="operator")
llm = desk.llm("local", price=Price(input=1, output=2))


@desk.post("/work", key="id", labels=Label.TRUSTED, timeout="20m")
async def work(id: str, task: str) -> str:
    text = ""
    text = await llm.ask(task)
    return text
