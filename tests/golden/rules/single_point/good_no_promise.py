"""Nothing is promised."""

from parti import (
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("openai:gpt-5-2025-08-07")


@desk.post("/ask", key="id", labels=Label.TRUSTED)
async def answer(id: str, text: str) -> str:
    return await llm.ask(text)
