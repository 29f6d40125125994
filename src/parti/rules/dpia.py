"""DPIA: people are decided on, and nobody assessed what that does to them."""

from __future__ import annotations

from collections.abc import Iterator

from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each decision."""
    for decision in case.design.decisions if "dpia" not in case.design.documents else ():
        yield Hit(decision.by, decision.place, f"`{decision.name}` is decided without an impact assessment")


RULE = Rule(
    code="R207",
    name="dpia",
    severity="high",
    says="Decisions about people are taken without a data protection impact assessment.",
    why="Where people are evaluated systematically, its risks to them are assessed before it runs.",
    standard="GDPR Art. 35(3)(a)",
    fix='write it, and say System(documents={"dpia": "docs/dpia.md"})',
    look=look,
)
