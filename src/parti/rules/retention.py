"""Retention: personal data is kept for longer than it may be, or without end."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.labels import Label
from parti.design.memory import Memory
from parti.design.topic import Topic
from parti.rules.base import Case, Hit, Rule
from parti.units import duration_text


def look(case: Case) -> Iterator[Hit]:
    """One finding for each topic and memory. How rows of a table come to be deleted is a matter of `erasure`."""
    ages = dict(case.design.keep)
    for part in case.design.parts:
        if not isinstance(part, Topic | Memory):
            continue
        for tag, slot in case.labels.at(part.name, "data").items():
            most = ages.get(tag)
            if most is None and (tag is not Label.PII or part.retain is not None):
                continue
            if part.retain is None or (most is not None and part.retain > most):
                kept = "without end" if part.retain is None else f"for {duration_text(part.retain)}"
                may = f", not for {duration_text(most)}" if most is not None else ""
                yield Hit(
                    part.name,
                    part.place,
                    f"what is {tag} is kept {kept} in `{part.name}`{may}",
                    case.labels.way(slot, tag),
                )


RULE = Rule(
    code="R203",
    name="retention",
    severity="high",
    says="What is labelled is kept for longer than its maximum age, or personal data without end.",
    why="Personal data may be kept no longer than its purpose needs.",
    standard="GDPR Art. 5(1)(e)",
    fix='give retain= where it is stored, and say System(keep={Label.PII: "1y"})',
    look=look,
)
