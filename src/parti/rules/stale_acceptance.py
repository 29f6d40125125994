"""Stale acceptance: a finding is accepted that there is not."""

from __future__ import annotations

from collections.abc import Iterator

from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """Nothing: which acceptances match is known only once all other rules have looked, see `checking`."""
    yield from ()


RULE = Rule(
    code="R001",
    name="stale-acceptance",
    severity="medium",
    says="An acceptance matches no finding.",
    why="What was accepted is mended, or was never there: the acceptance would hide the next mistake of its kind.",
    standard="ISO/IEC 27005, risk acceptance",
    fix="remove the acceptance",
    look=look,
)
