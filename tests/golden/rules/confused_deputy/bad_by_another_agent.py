"""Two doors lead to a tool by different agents, one of them by way of another."""

from parti import Budget, Label, System

desk = System("desk")
llm = desk.llm("local")


@desk.tool(effect="write", key="to", idempotent=True, control=["to"])
async def mail(to: str) -> None: ...


inner = desk.agent("inner", llm=llm, tools=[mail], budget=Budget(usd=1))
outer = desk.agent("outer", llm=llm, tools=[inner], budget=Budget(usd=1))


@desk.post("/by-outer", labels=Label.TRUSTED)
async def by_outer(q: str) -> str:
    return await outer.run(q)


@desk.post("/by-inner", labels=Label.TRUSTED)
async def by_inner(q: str) -> str:
    return await inner.run(q)
