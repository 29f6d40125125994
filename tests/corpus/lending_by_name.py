"""The features are taken by their names.

expects: nothing
"""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel

from parti import (
    DeadLetter,
    Label,
    System,
    checks,
)

desk = System("lending", documents={"dpia": "papers/dpia.md", "technical file": "papers/technical-file.md"})


class Application(BaseModel):
    id: str
    income: float
    postcode: str
    sex: Annotated[str, Label.PROTECTED]


class Decision(BaseModel):
    id: str
    approved: bool


class Features(BaseModel):
    income: float


class Score(BaseModel):
    probability: float


class Standing(BaseModel):
    id: str
    approved: bool
    sex: Annotated[str, Label.PROTECTED]


def measure(predict: Any) -> dict[str, float]:
    return {"auc": 0.7}


applications = desk.topic("applications", Application, key="id", retain="7y")
decisions = desk.topic("decisions", Decision, key="id", retain="7y")
book = desk.table("book", Standing, key="id")
risk = desk.model("risk", inputs=Features, output=Score, evaluate=measure, use="to rank loans")
desk.evaluation("groups", of=risk, data="cases.jsonl", check=checks.exact(), gate=0.8)


@desk.tool(effect="write", key="id", idempotent=True)
async def write_letter(id: str, approved: bool) -> None: ...


@desk.source(to=applications, labels=Label.TRUSTED)
def bank(position: int) -> Iterator[Application]:
    yield from ()


@desk.on(applications, to=decisions)
async def decide(application: Application) -> Decision:
    score = await risk.predict(Features.model_validate(application, from_attributes=True))
    await book.put(Standing(id=application.id, approved=score.probability < 0.5, sex=application.sex))
    return Decision(id=application.id, approved=score.probability < 0.5)


@desk.on(decisions)
async def tell(decision: Decision) -> None:
    await write_letter(decision.id, decision.approved)


@desk.monitor("approved by sex")
async def rates() -> dict[str, int]:
    return dict(Counter(row.sex for row in await book.scan(limit=1000) if row.approved))


@desk.on(applications.dead)
async def applications_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)


@desk.on(decisions.dead)
async def decisions_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)


desk.decision(
    "loan",
    by=decide,
    of="credit",
    notice=write_letter,
    notice_within="30d",
    reasons=True,
    appeal="underwriter",
    fairness="groups",
)
