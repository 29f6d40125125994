"""Ten cents for two that may take five and ten."""

from parti import (
    Budget,
    Label,
    Price,
    System,
)

desk = System("desk")
llm = desk.llm("local", price=Price(input=1, output=1))
one = desk.agent("one", llm=llm, budget=Budget(usd=0.05))
two = desk.agent("two", llm=llm, budget=Budget(usd=0.05))


@desk.post("/work", key="id", budget=Budget(usd=0.08), labels=Label.TRUSTED)
async def work(id: str) -> None:
    await one.run("a")
    await two.run("b")
