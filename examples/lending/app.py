"""A lending desk: real mortgage applications are scored, decided, explained and answered by letter.

parti up examples/lending/app.py --stand-ins
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import data
from model import RiskFeatures, RiskScore, evaluate_risk, train_risk
from pydantic import BaseModel

from parti import Label, Question, Slo, System, ask

desk = System("lending-desk", slo=Slo(p99="2s", availability=0.999))
OUTBOX = Path("outbox")


class Application(BaseModel):
    id: str
    debt_to_income: float
    loan_to_value: float
    credit_history: int
    mortgage_history: int
    public_record: bool
    unemployment: float
    self_employed: bool
    race: Annotated[str, Label.PROTECTED]  # may be measured, never decided on
    single: Annotated[bool, Label.PROTECTED]


class Decision(BaseModel):
    application_id: str
    approved: bool
    decided_by: Literal["model", "underwriter"]
    reasons: list[str]


class Standing(BaseModel):
    application_id: str
    approved: bool
    letter: str
    race: Annotated[str, Label.PROTECTED]
    single: Annotated[bool, Label.PROTECTED]


class Letter(BaseModel):
    application_id: str
    text: str


applications = desk.topic("applications", Application, key="id")
decisions = desk.topic("decisions", Decision, key="application_id", retain="7y")
book = desk.table("book", Standing, key="application_id")
risk = desk.model("risk", inputs=RiskFeatures, output=RiskScore, train=train_risk, evaluate=evaluate_risk)


@desk.source(to=applications)
def bank(position: int) -> Iterator[Application]:
    """The applications that the model has not learned from, in order."""
    for application in data.incoming()[position:]:
        yield Application.model_validate(application)


@desk.on(applications, to=decisions)
async def decide(application: Application) -> Decision:
    """Score an application, ask a person where the score is unsure, and answer by letter."""
    features = RiskFeatures.of(application)
    score = await risk.predict(features)
    reasons = [WORDS[reason.feature] for reason in await risk.reasons(features) if reason.effect > 0]
    approved = score.approve
    if score.unsure:
        question = f"Approve {application.id}? {'; '.join(reasons)}"
        approved = await ask("underwriter", question, timeout="2d", default=False)
    posted = await post_letter(write_letter(application.id, approved, reasons))
    await book.put(Standing(application_id=application.id, approved=approved, letter=posted, **groups_of(application)))
    who: Literal["model", "underwriter"] = "underwriter" if score.unsure else "model"
    return Decision(application_id=application.id, approved=approved, decided_by=who, reasons=reasons)


def groups_of(application: Application) -> dict[str, Any]:
    """What is kept for measuring alone: no model and no rule sees it."""
    return {"race": application.race, "single": application.single}


WORDS = {
    "debt_to_income": "monthly debts are high for the income",
    "loan_to_value": "the loan is large for the value of the house",
    "credit_history": "earlier credit was paid late",
    "mortgage_history": "earlier mortgage payments were late",
    "public_record": "there is a bankruptcy or a collection on record",
    "unemployment": "jobs in the line of work are insecure",
    "self_employed": "the income is from self-employment",
}


def write_letter(application_id: str, approved: bool, reasons: list[str]) -> Letter:
    """The letter that the law asks for: a refusal names its specific reasons (Regulation B, 12 CFR 1002.9)."""
    if approved:
        return Letter(application_id=application_id, text="We are glad to lend you the money.")
    because = "\n".join(f"- {reason}" for reason in reasons[:3]) or "- the application as a whole"
    return Letter(application_id=application_id, text=f"We cannot lend you the money, because\n{because}")


@desk.tool(effect="write", key="letter.application_id", idempotent=True)
def post_letter(letter: Letter) -> str:
    """Put a letter into the outbox; posting it again changes nothing."""
    OUTBOX.mkdir(exist_ok=True)
    path = OUTBOX / f"{letter.application_id}.json"
    path.write_text(json.dumps(letter.model_dump(), indent=2))
    return str(path)


@desk.get("/applications/{id}")
async def standing(id: str) -> Standing | None:
    """How an application stands."""
    return await book.get(id)


@desk.stand_in("underwriter", after="1s")
def recorded_underwriter(question: Question) -> bool:
    """In the demo, the person answers as the bank did in 1990."""
    return data.recorded_decision(question.key)


@desk.monitor("approved, of those decided")
async def approval() -> dict[str, str]:
    """Approval rates by group. The ratio of the lowest to the highest is the adverse impact ratio (below 0.8: look)."""
    rows = await book.scan(limit=100_000)
    groups: dict[str, list[bool]] = {"all": [row.approved for row in rows]}
    for row in rows:
        groups.setdefault(row.race, []).append(row.approved)
        groups.setdefault("single" if row.single else "married", []).append(row.approved)
    rates = {name: sum(approved) / len(approved) for name, approved in groups.items() if approved}
    shown = {name: f"{rate:.1%}, {sum(groups[name])} of {len(groups[name])}" for name, rate in rates.items()}
    races = [rate for name, rate in rates.items() if name in ("african-american", "other")]
    return {**shown, "adverse impact ratio, race": f"{min(races) / max(races):.2f}"} if len(races) > 1 else shown
