"""Whether it was paid back is no feature."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Loan(BaseModel):
    id: str
    income: float
    paid_back: Annotated[bool, Label.OUTCOME]


class Features(BaseModel):
    income: float
    good: bool


class Score(BaseModel):
    probability: float


loans = desk.topic("loans", Loan, key="id")
risk = desk.model("risk", inputs=Features, output=Score)


@desk.on(loans)
async def score(loan: Loan) -> None:
    await risk.predict(Features(income=loan.income, good=loan.paid_back))
