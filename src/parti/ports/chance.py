"""The chance port: where numbers come from that nobody can foresee."""

from __future__ import annotations

from typing import Protocol


class Chance(Protocol):
    """A source of randomness; seeded in the virtual world."""

    def random(self) -> float:
        """A number in [0, 1)."""
        ...

    def token(self) -> str:
        """32 hex digits that have not been drawn before."""
        ...
