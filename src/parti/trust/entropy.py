"""How surprising a value is: whether that it equals another says anything of where it came from."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from math import log2
from typing import Final

FLOOR_BITS: Final = 24.0
"""Below this, two values may well be equal by accident: 100, true, a date, a first name."""

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
    return bits(text) >= FLOOR_BITS
