"""What a stranger wrote is refused."""

from parti import (
    Gate,
    Label,
    System,
)

desk = System("desk", gate=Gate("refuse"))
llm = desk.llm("local")


@desk.tool(effect="write", key="id", idempotent=True, labels=Label.TRUSTED, runs={"query": "sql"})
async def change(id: str, query: str) -> None: ...


@desk.post("/ask", key="id", labels=Label.UNTRUSTED)
async def answer(id: str, query: str) -> None:
    await change("1", query)
