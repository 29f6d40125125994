"""The port to what finds personal data in free text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Detected:
    """A piece of a text that says something of a person: characters `start` to `end`, and of what kind it is."""

    start: int
    end: int
    kind: str


class Detector(Protocol):
    """Finds personal data in texts. It finds what it knows the look of, and never all: see docs/labels.md for how much."""

    def find(self, text: str) -> list[Detected]:
        """What is in the text, in order. Blocks, for some milliseconds a page; loads its model when it is first asked."""
        ...
