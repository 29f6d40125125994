"""Chance that nobody can foresee: the randomness of the operating system."""

from __future__ import annotations

import secrets
from random import SystemRandom


class SystemChance:
    """Draws from os.urandom; safe for names that strangers must not guess."""

    def __init__(self) -> None:
        self._source = SystemRandom()

    def random(self) -> float:
        """A number in [0, 1)."""
        return self._source.random()

    def token(self) -> str:
        """32 hex digits that have not been drawn before (128 random bits)."""
        return secrets.token_hex(16)
