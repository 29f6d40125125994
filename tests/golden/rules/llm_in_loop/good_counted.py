"""At most three times."""

from parti import (
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("local")


@desk.post("/draft", key="id", labels=Label.TRUSTED, discloses="the page")
async def draft(id: str, task: str) -> str:
    text = ""
    for _ in range(3):
        text = await llm.ask(task)
    return text
