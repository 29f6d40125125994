"""There is another."""

from parti import (
    Label,
    Slo,
    System,
)

desk = System("desk", slo=Slo(p99="2s"))
here = desk.llm("local")
llm = desk.llm("openai:gpt-5-2025-08-07", fallbacks=[here])


@desk.post("/ask", key="id", labels=Label.TRUSTED)
async def answer(id: str, text: str) -> str:
    return await llm.ask(text)
