"""Until it is good, if ever."""

from parti import (
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("local")


@desk.post("/draft", key="id", labels=Label.TRUSTED, discloses="the page")
async def draft(id: str, task: str) -> str:
    text = ""
    while len(text) < 100:
        text = await llm.ask(task)
    return text
