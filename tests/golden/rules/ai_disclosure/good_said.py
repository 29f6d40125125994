"""The page says so."""

from parti import (
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("local")


@desk.post("/ask", key="user", labels=Label.TRUSTED, discloses="above the field where questions are typed")
async def answer(user: str, question: str) -> str:
    return await llm.ask(question)
