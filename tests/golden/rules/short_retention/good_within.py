"""Both are shorter."""

from parti import (
    Journal,
    Label,
    System,
    ask,
    checks,
)

desk = System("desk", retain="30d")
llm = desk.llm("local")
clerk = desk.agent("clerk", llm=llm)
desk.evaluation("facts", of=clerk, data=Journal(since="7d"), check=checks.exact())


@desk.post("/ask", key="id", labels=Label.TRUSTED)
async def answer(id: str) -> bool:
    return await ask("boss", f"Is {id} right?", timeout="2d", default=False)
