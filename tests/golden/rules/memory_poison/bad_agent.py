"""An agent that reads mail may remember what it likes."""

from parti import (
    Label,
    System,
)

desk = System("desk")
notes = desk.memory("notes", retain="90d")
clerk = desk.agent("clerk", llm=desk.llm("local"), memory=notes)


@desk.post("/mail", key="id", labels=Label.UNTRUSTED)
async def read(id: str, body: str) -> str:
    return await clerk.run(body)
