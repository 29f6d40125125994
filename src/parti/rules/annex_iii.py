"""Annex III: a system of high risk without its technical file."""

from __future__ import annotations

from collections.abc import Iterator

from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each decision on credit, hiring and so on."""
    for decision in case.design.decisions if "technical file" not in case.design.documents else ():
        if decision.of != "other":
            yield Hit(
                decision.by, decision.place, f"`{decision.name}` decides on {decision.of} without a technical file"
            )


RULE = Rule(
    code="R212",
    name="annex-iii",
    severity="high",
    says="A decision that the AI Act calls high-risk has no technical file.",
    why="Such a system is described, with its data, its tests and its limits, before it is used.",
    standard="AI Act Annex III and IV (duties since 2 December 2027)",
    fix='write it, and say System(documents={"technical file": "docs/technical-file.md"})',
    look=look,
)
