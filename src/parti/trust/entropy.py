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

_DIGIT: Final = 3.32
_LETTER: Final = 4.7
_NAME: Final = 11.82
"""What a word of English text says (Shannon, "Prediction and Entropy of Printed English", 1951): a word with a capital counts so much."""
_WORD: Final = 10.0
"""A word without one, of which programs make their choices: it may be one of the thousand commonest."""

_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?|\d{1,2}:\d{2}(:\d{2})?"
)


_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]+|[\W_]")
"""Words, parts of names in camel case, numbers, and each other character."""


def bits(text: str) -> float:
    """The bits of a text: by how often it has each of its characters, or by its words if that is less; 12 at most for a date or time."""
    return min(_by_characters(text), _by_words(text))


def _by_characters(text: str) -> float:
    """Shannon, "A Mathematical Theory of Communication" (1948)."""
    count = len(text)
    if not count:
        return 0.0
    found = -sum(times * log2(times / count) for times in Counter(text).values())
    return min(found, 12.0) if _MOMENT.fullmatch(text) else found


def _by_words(text: str) -> float:
    """However long a word is, it is one of those that people use: "administrator" could stand anywhere."""
    return sum(map(_of_run, _RUNS.findall(text)))


def _has_words_enough(text: str) -> bool:
    """Whether the words come to the floor; looks no further than that."""
    found = 0.0
    for match in _RUNS.finditer(text):
        found += _of_run(match[0])
        if found >= FLOOR_BITS:
            return True
    return False


def _of_run(run: str) -> float:
    if run.isdigit():
        return _DIGIT * len(run)
    if not run.isalpha():
        return 1.0
    return min(_NAME if run[0].isupper() else _WORD, _LETTER * len(run))


@lru_cache(maxsize=4096)
def tells(text: str) -> bool:
    """Whether equality with the text says anything."""
    if len(text) < SHORTEST or not _has_words_enough(text):
        return False
    return _by_characters(text) >= FLOOR_BITS if _bits_min(text) < FLOOR_BITS else not _MOMENT.fullmatch(text)


def _bits_min(text: str) -> float:
    """Bits that a text of so many different characters has at least: those of one in which all but one stand there once."""
    count, most = len(text), len(text) - len(set(text)) + 1
    return count * log2(count) - most * log2(most)
