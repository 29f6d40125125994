"""Adverse action: a refusal of credit without a notice, in time, with specific reasons."""

from __future__ import annotations

from collections.abc import Iterator

from parti.rules.base import Case, Hit, Rule
from parti.units import seconds


def look(case: Case) -> Iterator[Hit]:
    """One finding for each decision on credit, which says what is missing."""
    for decision in case.design.decisions if case.design.decisions else ():
        if decision.of != "credit":
            continue
        called = any(arrow.target == decision.notice for arrow in case.design.arrows if arrow.kind == "calls")
        missing = [
            *(["a notice"] if not decision.notice else [] if called else [f"a part that calls `{decision.notice}`"]),
            *([] if decision.notice_within and decision.notice_within <= seconds("30d") else ["a term of 30 days"]),
            *([] if decision.reasons else ["specific reasons"]),
        ]
        if missing:
            yield Hit(decision.by, decision.place, f"`{decision.name}` refuses credit without {' and '.join(missing)}")


RULE = Rule(
    code="R202",
    name="adverse-action",
    severity="critical",
    says="Credit may be refused without a notice within 30 days that gives specific reasons.",
    why="Who is refused must learn why, so that they can mend it or object.",
    standard="Regulation B, 12 CFR 1002.9; FCRA, 15 USC 1681m",
    fix='declare notice=, notice_within="30d" and reasons=True with the decision',
    look=look,
)
