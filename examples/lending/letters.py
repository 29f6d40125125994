"""Letters: a language model drafts a refusal, and what it wrote is sent only where it says what the decision says.

A model of the size that runs inside the process copies the reasons and invents everything around them, and as a critic it
likes whatever it reads. So deterministic checks come before any critic, and a template behind both.
"""

from __future__ import annotations

import os
import re
from typing import Final, Literal

from pydantic import BaseModel, Field

from parti import AgentStopped, StepFailed
from parti.patterns import Critique, Worker

WORDS: Final = {
    "debt_to_income": "monthly debts are high for the income",
    "loan_to_value": "the loan is large for the value of the house",
    "credit_history": "earlier credit was paid late",
    "mortgage_history": "earlier mortgage payments were late",
    "public_record": "there is a bankruptcy or a collection on record",
    "unemployment": "jobs in the line of work are insecure",
    "self_employed": "the income is from self-employment",
}
"""Each feature that counted against somebody, as a letter says it."""

TARGET: Final = os.environ.get("PARTI_LLM", "local")
MODEL: Final = os.environ.get("PARTI_LLM_MODEL", "")
"""Which language model writes: `PARTI_LLM=openai:gpt-5-mini`, or the URL of a server and its model's name."""

WRITE: Final = """You write to somebody whose application for a mortgage was refused. Open with one short courtesy. Then list the
reasons you are given, word for word, and no others. Close with one short courtesy. Promise nothing, add no facts."""

CRITICISE: Final = """You read a letter that refuses a mortgage before it is sent. It is good if it is polite and clear, promises
nothing, and blames nobody."""

Stage = Literal[
    "by the model", "by the model, repaired", "template: the critic refused", "template: facts were invented",
    "template: reasons were changed", "template: no valid draft", "template: no model", "standard",
]  # fmt: skip
"""How a letter came to be."""

COURTESY: Final = frozenset(
    """a about again all and any appreciate application applications apply applying are as ask at be best but call can cannot
    careful carefully choosing close contact could dear do each feel for free from give given glad grateful has have hear help
    hope how i if in inform interest is it kind kindly know later let look may most mortgage must not of office on or our out
    please questions reach received reconsider regards regret reply request review reviewed sincerely sir madam so sorry
    submitting take taken team tell thank thanks that the their they this time to today unable understand unfortunately
    us very want was we welcome were what when while will wish with would write you your yours""".split()  # noqa: SIM905
)
"""What may stand around the reasons: words that state no fact about anybody. Everything else is an invention."""


class Draft(BaseModel):
    """A letter in its parts, so that each can be held against the decision."""

    opening: str = Field(max_length=90)
    reasons: list[str] = Field(max_length=4)
    closing: str = Field(max_length=90)

    def __str__(self) -> str:
        return "\n".join([self.opening, *(f"- {reason}" for reason in self.reasons), self.closing])


async def refuse(reasons: list[str], writer: Worker[Draft], critic: Worker[Critique]) -> tuple[str, Stage]:
    """The text of a refusal, and how it came to be: by the model where its letter holds, else by the template."""
    task: object = {"reasons": reasons}
    wrong: Stage = "template: reasons were changed"
    try:
        for passed in ("by the model", "by the model, repaired"):
            draft = await writer.run(task)
            problem = fault(draft, reasons)
            if problem is None:
                good = (await critic.run(str(draft))).good
                return (str(draft), passed) if good else (template(reasons), "template: the critic refused")
            wrong, advice = problem
            task = {"reasons": reasons, "draft": draft, "wrong": advice}
        return template(reasons), wrong
    except AgentStopped:
        return template(reasons), "template: no valid draft"
    except StepFailed:
        return template(reasons), "template: no model"


def fault(draft: Draft, reasons: list[str]) -> tuple[Stage, str] | None:
    """What is wrong with a draft, and what to tell the writer; None where the letter may be sent.

    A refusal must give the principal reasons, specific and true (Regulation B, 12 CFR 1002.9).
    """
    said = [reason.strip(" .-").lower() for reason in draft.reasons]
    if sorted(said) != sorted(reason.lower() for reason in reasons):
        return "template: reasons were changed", "give exactly the reasons, word for word"
    strange = set(re.findall(r"[a-z']+", f"{draft.opening} {draft.closing}".lower())) - COURTESY
    if strange or not (draft.opening and draft.closing) or draft.opening == draft.closing:
        words = ", ".join(sorted(strange)[:5])
        return "template: facts were invented", f"open and close with plain courtesies alone; leave out: {words}"
    return None


def standard(approved: bool, reasons: list[str]) -> tuple[str, Stage]:
    """The letter about a decision of the model's: always the same words."""
    return ("We are glad to lend you the money." if approved else template(reasons)), "standard"


def template(reasons: list[str]) -> str:
    """The letter that is sent where no other may be."""
    because = "\n".join(f"- {reason}" for reason in reasons) or "- the application as a whole"
    return f"We cannot lend you the money, because\n{because}"
