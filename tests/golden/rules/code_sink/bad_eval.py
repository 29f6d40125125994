"""A model writes the program."""

from parti import (
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("local")


@desk.post("/ask", key="id", labels=Label.TRUSTED)
async def answer(id: str, question: str) -> str:
    written = await llm.ask(question)
    eval(written)
    return id
