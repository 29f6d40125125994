"""Solely automated: people are decided on by a machine, and can appeal to nobody."""

from __future__ import annotations

from collections.abc import Iterator

from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each decision."""
    for decision in case.design.decisions:
        if not decision.appeal:
            yield Hit(decision.by, decision.place, f"`{decision.name}` has nobody to appeal to")


RULE = Rule(
    code="R208",
    name="solely-automated",
    severity="high",
    says="A decision about people names nobody to whom they can appeal.",
    why="Who is decided on by a machine may have a person look at it.",
    standard="GDPR Art. 22(3)",
    fix='name the person, by role: desk.decision(..., appeal="underwriter")',
    look=look,
)
