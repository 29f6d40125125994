"""Masking: labelled fields become ``•••``, and so does what they hold wherever a text beside them says it again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from parti.board.queries.shapes import Found, escaped, labelled_in
from parti.units import Bytes

MASK: Final = "•••"
SHOWN_BYTES: Final[Bytes] = 64 * 1024
"""Characters of JSON that are shown of one value."""

VALUES_MAX: Final = 2_000
"""Masked values that texts are searched for."""

SHORTEST: Final = 3
"""Characters of a masked value that is looked for in texts: shorter ones would be found everywhere."""

BEGINNING: Final = 8
"""Characters that tell the beginning of a masked value, where a text ends before the value does."""

WORDS_MAX: Final = 6
"""A masked text of at most so many words is looked for word by word as well: a first name alone says who it is."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A field that was masked: its JSON pointer in the value, its labels, and the place to name in asking to see it."""

    path: str
    labels: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A JSON value as it may be shown. Where it is too large, `value` is the beginning of its text, and `cut` characters follow."""

    value: Any
    masked: tuple[Masked, ...] = ()
    cut: int = 0


@dataclass
class Known:
    """What masked fields hold, as far as it was learned: texts that say it again are masked there.

    Texts and numbers of three characters and more count, as whole words, in whatever case.
    """

    values: set[str] = field(default_factory=set)

    def learn(self, found: Iterable[Found]) -> None:
        """Look for what these fields hold, too."""
        for one in found:
            for text in _texts(one.value):
                if len(self.values) < VALUES_MAX and text not in self.values:
                    self.values.add(text)
                    self.__dict__.pop("pattern", None)

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """What finds any of the values in a text; the longest first."""
        wanted = {form for value in self.values for form in (value, json.dumps(value)[1:-1])}
        if not wanted:
            return None
        return re.compile("|".join(map(_as_word, sorted(wanted, key=lambda one: (-len(one), one)))), re.IGNORECASE)

    def in_text(self, text: str) -> str:
        """The text, with all that it says of masked fields masked."""
        pattern = self.pattern
        return text if pattern is None else self._cut_short(pattern.sub(MASK, text))

    def _cut_short(self, text: str) -> str:
        """The text without the beginning of a masked value at its end: errors are cut where they are journaled."""
        folded = text.casefold()
        for value in self.values:
            known = value.casefold()
            at = folded.find(known[:BEGINNING]) if len(known) > BEGINNING else -1
            while at >= 0:
                if known.startswith(folded[at:]) and len(folded) == len(text):
                    return text[:at] + MASK
                at = folded.find(known[:BEGINNING], at + 1)
        return text


def _texts(value: Any) -> Iterable[str]:
    match value:
        case bool() | None:
            return
        case str():
            whole = value.strip()
            words = whole.split()
            for text in [whole, *(words if 1 < len(words) <= WORDS_MAX else ())]:
                bare = text.strip(".,;:!?()[]\"'")
                if len(bare) >= SHORTEST:
                    yield bare
        case int() | float():
            if len(str(value)) >= SHORTEST:
                yield str(value)
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)


def _as_word(text: str) -> str:
    before = r"(?<!\w)" if text[:1].isalnum() else ""
    after = r"(?!\w)" if text[-1:].isalnum() else ""
    return before + re.escape(text) + after


def mask(value: Any, shape: Any, place: str, known: Known, most: Bytes = SHOWN_BYTES) -> Shown:
    """A JSON value as it may be shown, `most` characters of it. `place` names the whole value; what is masked in it is learned."""
    found = labelled_in(value, shape)
    known.learn(found)
    hidden = {one.pointer: one for one in found}
    shown = _masked(value, "", hidden, known)
    masked = tuple(Masked(one.pointer, one.labels, f"{place}#{one.pointer}") for one in found)
    text = json.dumps(shown, ensure_ascii=False)
    if len(text) <= most:
        return Shown(shown, masked)
    return Shown(text[:most], masked, len(text) - most)


def _masked(value: Any, pointer: str, hidden: dict[str, Found], known: Known) -> Any:
    if pointer in hidden:
        return MASK
    match value:
        case str():
            return known.in_text(value)
        case int() | float() if not isinstance(value, bool) and str(value) in known.values:
            return MASK
        case list():
            return [_masked(item, f"{pointer}/{index}", hidden, known) for index, item in enumerate(value)]
        case dict():
            return {
                known.in_text(name): _masked(item, f"{pointer}/{escaped(name)}", hidden, known)
                for name, item in value.items()
            }
    return value
