"""How surprising a value is: whether that it equals another says anything of where it came from."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from math import log2
from typing import Final

FLOOR_BITS: Final = 24.0
"""Below this, two values may well be equal by accident: 100, true, a date, a first name."""

SHORTEST: Final = 8
"""Characters below which no text reaches the floor: seven different ones have 19.7 bits."""

_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?|\d{1,2}:\d{2}(:\d{2})?"
)


def bits(text: str) -> float:
    """The bits of a text by how often it has each of its characters (Shannon, 1948); 12 at most for a date or a time of day."""
    count = len(text)
    if not count:
        return 0.0
    found = -sum(times * log2(times / count) for times in Counter(text).values())
    return min(found, 12.0) if _MOMENT.fullmatch(text) else found


@lru_cache(maxsize=4096)
def tells(text: str) -> bool:
    """Whether equality with the text says anything."""
    if len(text) < SHORTEST:
        return False
    return bits(text) >= FLOOR_BITS if _bits_min(text) < FLOOR_BITS else not _MOMENT.fullmatch(text)


def _bits_min(text: str) -> float:
    """Bits that a text of so many different characters has at least: those of one in which all but one stand there once."""
    count, most = len(text), len(text) - len(set(text)) + 1
    return count * log2(count) - most * log2(most)
