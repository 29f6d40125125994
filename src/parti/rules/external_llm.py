"""External LLM: personal data goes to a language model outside without an agreement."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.llm import Llm
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.clearing import is_outside
from parti.rules.reach import PRIVATE


def look(case: Case) -> Iterator[Hit]:
    """One finding for each model and label."""
    for llm in case.design.all(Llm):
        for label in PRIVATE if is_outside(llm) and not llm.processor else ():
            way = case.way(llm.name, "in", label)
            if way and label not in llm.clearance:
                what = f"what is {label} reaches `{llm.name}`, which is outside and whose processor is not declared"
                yield Hit(llm.name, llm.place, what, way)


RULE = Rule(
    code="R104",
    name="external-llm",
    severity="critical",
    says="Personal or protected data reaches a language model outside, with no agreement declared.",
    why="Whoever runs the model processes the data for you, which needs a contract, and may keep it.",
    standard="GDPR Art. 28 and 44; OWASP LLM02",
    fix="redact it in a guard, use a local model, or declare processor= (with whom the agreement is) or clearance=",
    look=look,
)
