"""Measuring: how often each group was approved, and how far the groups lie apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Counted(Protocol):
    """Who was decided on, and how."""

    approved: bool
    race: str
    single: bool


def rates(rows: Iterable[Counted]) -> dict[str, str]:
    """Approval rates by group. The ratio of the lowest to the highest is the adverse impact ratio (below 0.8: look)."""
    groups: dict[str, list[bool]] = {}
    for row in rows:
        for group in ("all", row.race, "single" if row.single else "married"):
            groups.setdefault(group, []).append(row.approved)
    found = {name: sum(approved) / len(approved) for name, approved in groups.items()}
    shown = {name: f"{rate:.1%}, {sum(groups[name])} of {len(groups[name])}" for name, rate in found.items()}
    races = [rate for name, rate in found.items() if name in ("african-american", "other")]
    return {**shown, "adverse impact ratio, race": f"{min(races) / max(races):.2f}"} if len(races) > 1 else shown
