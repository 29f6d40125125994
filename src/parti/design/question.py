"""A question that a run puts to a person, as a stand-in sees it."""

from __future__ import annotations

from dataclasses import dataclass

from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class Question:
    """Put by `run`, whose key is `key`, to the person `who`. `asked` is seconds since 1970."""

    id: str
    run: str
    key: str
    who: str
    text: str
    asked: Seconds
