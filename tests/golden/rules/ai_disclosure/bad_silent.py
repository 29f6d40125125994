"""Nobody says that a machine answers."""

from parti import (
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("local")


@desk.post("/ask", key="user", labels=Label.TRUSTED)
async def answer(user: str, question: str) -> str:
    return await llm.ask(question)
