"""What follows the "?" of an address, read as what a view needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from parti.errors import UsageError
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a query. Each method raises P504 for a word that it cannot read."""

    words: Mapping[str, str]

    def text(self, name: str, otherwise: str = "") -> str:
        """The word of that name."""
        return self.words.get(name, otherwise)

    def count(self, name: str, otherwise: int) -> int:
        """The whole number of that name, 0 or more."""
        text = self.words.get(name, "")
        if text and not (text.isascii() and text.isdecimal() and len(text) < 18):
            raise UsageError("P504", f"{name}={text!r} is no count", fix="give a whole number, 0 or more")
        return int(text) if text else otherwise

    def moment(self, name: str) -> Seconds | None:
        """The moment of that name, in seconds since 1970; None where there is none."""
        text = self.words.get(name, "")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise UsageError("P504", f"{name}={text!r} is no moment", fix="give seconds since 1970")
        return value
