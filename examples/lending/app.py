"""A lending desk: real mortgage applications are scored, decided, explained and answered by letter.

parti up examples/lending/app.py --stand-ins
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import data
import letters
import measure
from model import USE, RiskFeatures, RiskScore, evaluate_risk, train_risk
from pydantic import BaseModel

from parti import Budget, Label, Question, Slo, System, ask
from parti.patterns import Critique

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
    race: Annotated[str, Label.PROTECTED]
    single: Annotated[bool, Label.PROTECTED]


class Letter(BaseModel):
    application_id: str
    text: str
    stage: letters.Stage


applications = desk.topic("applications", Application, key="id", retain="7y")
decisions = desk.topic("decisions", Decision, key="application_id", retain="7y")
book = desk.table("book", Standing, key="application_id")
sent = desk.table("letters", Letter, key="application_id")
risk = desk.model("risk", inputs=RiskFeatures, output=RiskScore, train=train_risk, evaluate=evaluate_risk, use=USE)
llm = desk.llm(letters.TARGET, model=letters.MODEL, name="llm", max_tokens=160)
spend = Budget(tokens=10_000, steps=4)
writer = desk.agent("writer", llm=llm, output=letters.Draft, instructions=letters.WRITE, budget=spend)
critic = desk.agent("critic", llm=llm, output=Critique, instructions=letters.CRITICISE, budget=spend)


@desk.source(to=applications, labels=Label.TRUSTED)
def bank(position: int) -> Iterator[Application]:
    """The applications that the model has not learned from, in order."""
    for application in data.incoming()[position:]:
        yield Application.model_validate(application)


@desk.on(applications, to=decisions)
async def decide(application: Application) -> Decision:
    """Score an application, and ask a person where the score is unsure."""
    features = RiskFeatures.of(application)
    score = await risk.predict(features)
    reasons = [letters.WORDS[reason.feature] for reason in await risk.reasons(features) if reason.effect > 0]
    approved = score.approve
    if score.unsure:
        question = f"Approve {application.id}? {'; '.join(reasons)}"
        approved = await ask("underwriter", question, timeout="2d", default=False)
    race, single = application.race, application.single  # kept for measuring alone: no model and no rule sees them
    await book.put(Standing(application_id=application.id, approved=approved, race=race, single=single))
    who: Literal["model", "underwriter"] = "underwriter" if score.unsure else "model"
    return Decision(application_id=application.id, approved=approved, decided_by=who, reasons=reasons[:3])


@desk.on(decisions, concurrency=4)
async def answer(decision: Decision) -> None:
    """Write to the applicant. Where a person refused, a model may find the words, if they hold."""
    text, stage = letters.standard(decision.approved, decision.reasons)
    if decision.decided_by == "underwriter" and not decision.approved:
        text, stage = await letters.refuse(decision.reasons, writer, critic)
    letter = Letter(application_id=decision.application_id, text=text, stage=stage)
    await post_letter(letter)
    await sent.put(letter)


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


@desk.get("/letters/{id}", discloses="stage")
async def letter_to(id: str) -> Letter | None:
    """The letter that was sent."""
    return await sent.get(id)


desk.decision(
    "loan", by=decide, of="credit", notice=post_letter, notice_within="30d", reasons=True, appeal="underwriter"
)
for code in ("R207", "R211", "R212", "R308"):
    desk.accept(code, reason="A demo on published files of 1990: nobody is decided on.", until="2027-12-31")


@desk.stand_in("underwriter", after="1s")
def recorded_underwriter(question: Question) -> bool:
    """In the demo, the person answers as the bank did in 1990."""
    return data.recorded_decision(question.key)


@desk.monitor("approved, of those decided")
async def approval() -> dict[str, str]:
    """Approval rates by group."""
    return measure.rates(await book.scan(limit=100_000))


@desk.monitor("letters where a person refused, by how they came to be")
async def by_stage() -> dict[str, int]:
    """How far the model's drafts came: most end in the template."""
    stages = Counter(letter.stage for letter in await sent.scan(limit=100_000) if letter.stage != "standard")
    return dict(stages.most_common())
