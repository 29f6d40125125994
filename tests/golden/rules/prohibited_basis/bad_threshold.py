"""Race moves the threshold."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Application(BaseModel):
    id: str
    income: float
    race: Annotated[str, Label.PROTECTED]


class Features(BaseModel):
    income: float


class Score(BaseModel):
    probability: float


class Decision(BaseModel):
    id: str
    approved: bool


applications = desk.topic("applications", Application, key="id")
decisions = desk.topic("decisions", Decision, key="id")
risk = desk.model("risk", inputs=Features, output=Score)


@desk.on(applications, to=decisions)
async def decide(application: Application) -> Decision:
    score = await risk.predict(Features(income=application.income))
    limit = 0.4 if application.race == "a" else 0.5
    return Decision(id=application.id, approved=score.probability < limit)


desk.decision("loan", by=decide, of="credit")
