"""It goes on without."""

from parti import (
    Label,
    Slo,
    StepFailed,
    System,
)

desk = System("desk", slo=Slo(p99="2s"))
llm = desk.llm("openai:gpt-5-2025-08-07")


@desk.post("/ask", key="id", labels=Label.TRUSTED)
async def answer(id: str, text: str) -> str:
    try:
        return await llm.ask(text)
    except StepFailed:
        return "later"
