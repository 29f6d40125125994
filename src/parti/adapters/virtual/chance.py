"""Chance from a seed: the same draws in every play."""

from __future__ import annotations

from random import Random


class SeededChance:
    """Draws from a Mersenne twister; never for names that strangers must not guess."""

    def __init__(self, seed: int | str) -> None:
        self._source = Random(seed)

    def random(self) -> float:
        """A number in [0, 1)."""
        return self._source.random()

    def token(self) -> str:
        """32 hex digits that have not been drawn before (128 drawn bits)."""
        return f"{self._source.getrandbits(128):032x}"
