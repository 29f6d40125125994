"""A source: where events come from, read on from where it was left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parti.design.labels import Labelled
from parti.design.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`read(position)` yields the events of `topic` from the zero-based `position` on.

    The position is committed with the events, so each is published once, also across crashes. `per_second` bounds the
    rate (None: as fast as the topic takes them).
    """

    name: str
    place: Place
    topic: str
    per_second: float | None
    read: Callable[[int], Any] = field(repr=False, compare=False)
    about: str = ""
    labels: Labelled | None = field(default=None, repr=False)
    """The labels of its events, where their type does not say; None where nothing was declared."""
