"""A guard: a step that looks at what passes through it, and whose answer is declared to be free of some labels."""

from __future__ import annotations

from dataclasses import dataclass, field

from parti.design.labels import Tag
from parti.design.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard(Step):
    """A step whose answer no longer carries `releases`, whatever went in: a redaction, a validator, an aggregation."""

    releases: tuple[Tag, ...] = field(default=(), repr=False)
