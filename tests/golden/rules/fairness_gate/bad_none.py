"""Nothing compares groups."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Features(BaseModel):
    income: float


class Score(BaseModel):
    probability: float


class Application(BaseModel):
    id: str
    income: float


applications = desk.topic("applications", Application, key="id")
risk = desk.model("risk", inputs=Features, output=Score)


@desk.on(applications)
async def decide(application: Application) -> None:
    await risk.predict(Features(income=application.income))


desk.decision("loan", by=decide, of="credit")
