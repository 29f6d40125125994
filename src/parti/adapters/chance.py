"""Chance that nobody can foresee: the randomness of the operating system."""

from __future__ import annotations

import os
from random import SystemRandom
from typing import Final

from parti.units import Bytes

_TOKEN: Final[Bytes] = 16
_POOL: Final[Bytes] = 256 * _TOKEN
"""Drawn at once: asking the system for each token took a thirtieth of the engine's time."""


class SystemChance:
    """Draws from os.urandom; safe for names that strangers must not guess. Not to be shared by forked processes."""

    def __init__(self) -> None:
        self._source = SystemRandom()
        self._pool = b""

    def random(self) -> float:
        """A number in [0, 1)."""
        return self._source.random()

    def token(self) -> str:
        """32 hex digits that have not been drawn before (128 random bits)."""
        if not self._pool:
            self._pool = os.urandom(_POOL)
        token, self._pool = self._pool[:_TOKEN], self._pool[_TOKEN:]
        return token.hex()
