"""As often as there are names."""

from parti import (
    Budget,
    Label,
    Price,
    System,
)

desk = System("desk")
llm = desk.llm("local", price=Price(input=1, output=1))
one = desk.agent("one", llm=llm, budget=Budget(usd=0.01))
two = desk.agent("two", llm=llm, budget=Budget(usd=0.01))


@desk.post("/work", key="id", budget=Budget(usd=0.08), labels=Label.TRUSTED)
async def work(id: str) -> None:
    for name in id.split():
        await one.run(name)
