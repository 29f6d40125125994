"""The report costs more than the run has."""

from parti import (
    Budget,
    Cost,
    Label,
    System,
)

desk = System("desk")


@desk.tool(effect="read", cost=Cost(usd=0.5), labels=Label.TRUSTED)
async def report(id: str) -> int:
    return 1


@desk.post("/vet", key="id", budget=Budget(usd=0.1), labels=Label.TRUSTED)
async def vet(id: str) -> int:
    return await report(id)
