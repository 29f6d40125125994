"""A batch: how many calls of a part are served together, and how long the first of them waits for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parti.errors import DeclarationError, StepFailed
from parti.units import Seconds, seconds


@dataclass(frozen=True, slots=True, init=False)
class Batch:
    """Calls that come within `linger` of the first, or until `size` wait, are served together.

    `linger` is a duration such as ``"5ms"``; 0 serves together what comes at the same instant. Raises P105 for a size below
    1 and for a negative linger.
    """

    size: int
    linger: Seconds

    def __init__(self, size: int, *, linger: str | float = "5ms") -> None:
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise DeclarationError("P105", f"Batch({size!r}) holds no call", fix="give a whole number from 1 on")
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "linger", _linger(linger))


def _linger(text: str | float) -> Seconds:
    if type(text) in (int, float) and text == 0:
        return 0.0
    wrong = DeclarationError(
        "P105", f"linger={text!r} is not how long a call can wait", fix='write 0, or a duration such as "5ms"'
    )
    if isinstance(text, bool):
        raise wrong
    try:
        return seconds(text)
    except DeclarationError:
        raise wrong from None


def answers_of(name: str, place: object, answers: Any, count: int) -> Sequence[Any]:
    """What a batch function returned, if it is one answer for each of `count` items. Raises StepFailed (P314) if not."""
    if not isinstance(answers, list | tuple):
        said = f"returned a {type(answers).__name__} for a batch of {count}"
    elif len(answers) != count:
        said = f"returned {len(answers)} answers for a batch of {count}"
    else:
        return answers
    fix = "return a list with one answer for each item, in their order; in the place of one that failed, its exception"
    raise StepFailed("P314", f"`{name}` {said}", place=str(place), fix=fix, kind="parti.errors.StepFailed")
