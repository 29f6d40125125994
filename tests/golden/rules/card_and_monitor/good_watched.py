"""All three."""

from typing import Any

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Features(BaseModel):
    income: float


class Score(BaseModel):
    probability: float


class Standing(BaseModel):
    id: str
    risk: float


def measure(predict: Any) -> dict[str, float]:
    return {"auc": 0.7}


book = desk.table("book", Standing, key="id")
risk = desk.model("risk", inputs=Features, output=Score, use="to rank loans", evaluate=measure)


@desk.post("/score", key="id", labels=Label.TRUSTED)
async def score(id: str, income: float) -> None:
    found = await risk.predict(Features(income=income))
    await book.put(Standing(id=id, risk=found.probability))


@desk.monitor("risk")
async def mean() -> dict[str, float]:
    rows = await book.scan(limit=100)
    return {"mean": sum(row.risk for row in rows) / len(rows)}
