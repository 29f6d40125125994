"""Forms: how a value may stand inside a text, and the pattern that finds it there."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

SHORT: Final = 4
"""A value of fewer characters is found in its own case alone: "May" is no "may"."""

LOOSE: Final = 6
"""A value of so many characters is found inside of longer words, too."""

WORDS: Final = 8
"""A text of more words is free text."""

NAME: Final = 4
"""The words of a value of so many or fewer are looked for one by one: a first name alone says who it is."""

PIECE: Final = 12
"""A line or sentence of a free text is a value of its own from so many characters on."""

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_MOMENT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?")
_SMALL: Final = frozenset({"The", "And", "Von", "Van", "Der", "Die", "Das", "Mrs", "Herr", "Frau"})
_FLAGS: Final = frozenset({"true", "false"})
_END: Final = re.compile(r"[\r\n]+|(?<=[.!?])\s+")
_BEFORE: Final = r"(?:(?<!\w)|(?<=\\[nrtbf])|(?<=\\u[0-9a-fA-F]{4}))"
"""No word goes on here; an escape of JSON is none."""


def key_of(text: str) -> str:
    """What two texts have in common that mean the same value: but for composition, spaces, and case unless it is short."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    return plain if len(plain) < SHORT else plain.casefold()


def is_findable(text: str) -> bool:
    """Whether a value is looked for inside texts. A single character and a flag could stand there by accident."""
    plain = text.strip()
    return len(plain) > 1 and plain.casefold() not in _FLAGS and any(map(str.isalnum, plain))


def is_free(text: str) -> bool:
    """Whether a value is free text, in which others may stand."""
    return len(text.split()) > WORDS or "\n" in text.strip()


def pieces(text: str) -> Iterator[str]:
    """The lines and sentences of a free text: a program may hand on some of them."""
    found = [piece.strip() for piece in _END.split(text)]
    if len(found) > 1:
        yield from (piece for piece in found if len(piece) >= PIECE)


def words(text: str) -> Iterator[str]:
    """The words of a name, which are written with a capital where their script has such; none of a longer text."""
    found = [word.strip(",.;:()\"'") for word in text.split()]
    if 1 < len(found) <= NAME:
        yield from (
            one for one in found if len(one) > 2 and one[0].isalpha() and not one[0].islower() and one not in _SMALL
        )


def forms(text: str) -> tuple[str, ...]:
    """How a value is written: composed or not, escaped as in JSON, in capitals; numbers and moments as programs print them."""
    plain = text.strip()
    found = [unicodedata.normalize(form, plain) for form in ("NFC", "NFD")]
    found += [json.dumps(one, ensure_ascii=ascii)[1:-1] for one in tuple(found) for ascii in (False, True)]
    if len(plain.upper()) != len(plain):  # as in ß, which no pattern folds
        found += [plain.upper(), plain.casefold()]
    found += [*_as_number(plain), *_as_moment(plain)]
    return tuple(dict.fromkeys(found))


def _as_number(text: str) -> Iterator[str]:
    if _NUMBER.fullmatch(text) and len(text) <= 15:
        number = float(text)
        shapes = [number] if "." in text else [int(text), number]
        for one in shapes:
            yield from (str(one), f"{one:,}")
        yield from (f"{number:.2f}", f"{number:,.2f}")


def _as_moment(text: str) -> Iterator[str]:
    """A date or moment as ISO 8601 has it, as `str` does, and as it begins where an object is printed that holds it."""
    found = _MOMENT.fullmatch(text)
    if found:
        day, time, zone = found.groups()
        zones = ("Z", "+00:00") if zone in ("Z", "+00:00") else (zone or "",)
        if time:
            yield from (f"{day}{between}{time}{one}" for between in "T " for one in zones)
        yield f"({', '.join(str(int(one)) for one in day.split('-'))}"


@lru_cache(maxsize=4096)
def pattern(form: str, *, escaped: bool, cased: bool) -> str:
    """What finds a form in a text, whatever spaces stand between its words; `escaped` says that a text may hold escapes of JSON.

    One that is `cased` is found in its own case and as a word of its own alone.
    """
    found = (r"(?:\s|\\[nrt])+" if escaped else r"\s+").join(map(re.escape, form.split()))
    if cased or len(form) < LOOSE:
        before = (_BEFORE if escaped else r"(?<!\w)") if _is_of_word(form[0]) else ""
        after = r"(?!\w)" if _is_of_word(form[-1]) else ""
        found = f"{before}{found}{after}"
    return found if cased or len(form) < SHORT else f"(?i:{found})"


def _is_of_word(character: str) -> bool:
    """Whether words of the script end where a space is: not so in Chinese, Japanese or Thai, nor before Korean particles."""
    return character.isdigit() or character == "_" or character.lower() != character.upper()
