"""Text with a bound: a type whose pattern admits no blank and no long word, such as an order number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

LONGEST: Final = 64
"""Characters that an id has at most. What is longer, or has blanks, can tell a reader what to do."""

_PIECE: Final = re.compile(
    r"""\\[dw] | \\[-.+*?()\[\]{}|^$/\\] | \[(?!\^)(?:\\[dw]|\\[-.+*?()\[\]{}|^$/\\]|[^\\\[\]\s\x00-\x20])+\] | \((?:\?:)?(?!\?) | [|)]
    | (?P<open>[*+]|\{\d+,\}) | \?(?!\?) | \{\d+(?:,\d+)?\} | [^\\.\[\](){}|*+?^$\s\x00-\x20]""",
    re.VERBOSE,
)


def is_bounded_text(notes: Iterable[Any]) -> bool:
    """Whether notes of Pydantic or annotated-types on a `str` bound it: by a pattern from beginning to end without blanks,
    and a length, which the pattern or `max_length` gives."""
    facts = list(_facts(notes))
    longest = min((fact for fact in facts if isinstance(fact, int)), default=None)
    if longest is not None and longest > LONGEST:
        return False
    return any(_is_narrow(fact, longest is not None) for fact in facts if isinstance(fact, str))


def _facts(notes: Iterable[Any]) -> Iterator[str | int]:
    for note in notes:
        pattern, longest = getattr(note, "pattern", None), getattr(note, "max_length", None)
        pattern = getattr(pattern, "pattern", pattern)
        yield from (fact for fact in (pattern, longest) if isinstance(fact, str | int))
        yield from _facts(getattr(note, "metadata", ()))


def _is_narrow(pattern: str, has_length: bool) -> bool:
    """Whether the pattern is made of the letters, digits and signs that it names, from ^ to $; else it may admit anything."""
    if not (pattern.startswith("^") and pattern.endswith("$")) or pattern.endswith("\\$"):
        return False
    at, depth, inner = 0, 0, pattern[1:-1]
    while at < len(inner):
        piece = _PIECE.match(inner, at)
        if piece is None or (piece["open"] and not has_length) or (piece[0] == "|" and depth == 0):
            return False
        repeats = [int(number) for number in re.findall(r"\d+", piece[0])] if piece[0].startswith("{") else []
        if any(number > LONGEST for number in repeats):
            return False
        depth += {"(": 1, ")": -1}.get(piece[0][0], 0)
        at = piece.end()
    return True
