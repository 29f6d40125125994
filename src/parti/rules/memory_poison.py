"""Memory poison: what strangers wrote is remembered, and read in later sessions."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.labels import Label
from parti.design.memory import Memory
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each memory."""
    for memory in case.design.all(Memory):
        way = case.way(memory.name, "data", Label.UNTRUSTED)
        if way:
            yield Hit(memory.name, memory.place, f"`{memory.name}` remembers what strangers wrote", way)


RULE = Rule(
    code="R109",
    name="memory-poison",
    severity="high",
    says="What strangers wrote is remembered, and recalled in later work.",
    why="One message then steers every session to come, long after anybody looks.",
    standard="OWASP LLM04, LLM08, ASI06",
    fix="put a guard before what is remembered, or a memory of its own for it",
    look=look,
)
