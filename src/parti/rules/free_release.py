"""Free release: a guard says that its answer can be believed, and the answer is free text."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.fields import free_texts
from parti.design.guard import Guard
from parti.design.labels import Label
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each such guard."""
    for guard in case.design.all(Guard):
        free = free_texts(guard.function.returns.kind)
        if Label.UNTRUSTED in guard.releases and free:
            where = f"`{free[0]}` of its answer" if free[0] else "its answer"
            yield Hit(guard.name, guard.place, f"`{guard.name}` releases untrusted, but {where} can be any text")


RULE = Rule(
    code="R110",
    name="free-release",
    severity="high",
    says="A guard releases UNTRUSTED, and gives text without bound.",
    why="A text can carry any instruction through the guard; a number, an enum or a nominal id cannot.",
    standard="Willison, dual LLM pattern (2023); Costa et al., FIDES (2025)",
    fix="give an Enum, a Literal, a number, a flag or a nominal id (NewType), or ask a person",
    look=look,
)
