"""Erasure: personal data is kept, and nothing deletes it."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.labels import Label
from parti.design.memory import Memory
from parti.design.table import Table
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each table, and each memory that keeps facts without end."""
    for part in case.design.parts:
        if not isinstance(part, Table | Memory) or (isinstance(part, Memory) and part.retain is not None):
            continue
        way = case.way(part.name, "data", Label.PII)
        if way and not any(use.method in ("delete", "forget") for use in case.uses(target=part.name)):
            yield Hit(part.name, part.place, f"`{part.name}` holds what is pii, and no part deletes it", way)


RULE = Rule(
    code="R206",
    name="erasure",
    severity="high",
    says="Personal data lies in a table or memory, and no part deletes it.",
    why="A person may ask that what is known of them is deleted.",
    standard="GDPR Art. 17",
    fix="write a handler or endpoint that calls delete (of a table) or forget (of a memory)",
    look=look,
)
