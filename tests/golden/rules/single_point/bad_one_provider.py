"""The promise rests on one provider."""

from parti import (
    Label,
    Slo,
    System,
)

desk = System("desk", slo=Slo(p99="2s"))
llm = desk.llm("openai:gpt-5-2025-08-07")


@desk.post("/ask", key="id", labels=Label.TRUSTED)
async def answer(id: str, text: str) -> str:
    return await llm.ask(text)
