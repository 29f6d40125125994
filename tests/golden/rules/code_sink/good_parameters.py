"""The query is ours, the model gives a parameter."""

from parti import (
    Label,
    System,
)

desk = System("desk")
llm = desk.llm("local")


@desk.tool(effect="read", runs={"text": "sql"}, labels=Label.TRUSTED)
async def query(text: str, name: str) -> int:
    return 0


@desk.post("/ask", key="id", labels=Label.TRUSTED)
async def answer(id: str, question: str) -> str:
    written = await llm.ask(question)
    await query("select 1 where name = ?", written)
    return id
