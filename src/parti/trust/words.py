"""Words: whether a text says a value, rather than something that the value is a part of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_OPENING: Final = "\"'([{<`*\u201c\u2018\u201e\xab"
"""Quotes and brackets as they stand before a word, after a space."""
_CLOSING: Final = "\"')]}>`*\u201d\u2019\u201c\xbb.,;:!?\u2026"
"""Quotes, brackets and punctuation as they stand after a word, up to the next space."""
_BEFORE: Final = rf"(?<!\S)[{re.escape(_OPENING)}]*"
_AFTER: Final = rf"(?:['\u2019]s)?[{re.escape(_CLOSING)}]*(?!\S)"
"""The ending of a genitive is none of the word."""
_GROUP: Final = re.compile(r"\+?(?=[A-Z]*\d)[A-Z\d]{1,6}")
"""One of the groups in which people write a long number: `DE02 1203 0000`."""


def has_words(text: str, value: str) -> bool:
    """Whether the text says the value in whole words: `newsletter@a.example` is not said by `bob+newsletter@a.example`.

    Words end at spaces, and at quotes, brackets and punctuation beside those. A part of a number in groups is no word, either.
    """
    return any(not _is_of_number(text, value, *match.span(1)) for match in _whole(value).finditer(text))


def _is_of_number(text: str, value: str, begin: int, end: int) -> bool:
    """Whether the value is a part of a number that goes on before or after it."""
    words = value.split()
    before, after = text[:begin].split()[-1:], text[end:].split()[:1]
    return _go_on([*before, *words[:1]]) or _go_on([*words[-1:], *after])


def _go_on(pair: list[str]) -> bool:
    return len(pair) == 2 and all(_GROUP.fullmatch(one) for one in pair)


def has_word(text: str, value: str) -> bool:
    """Whether the value stands in the text and is no part of a longer word, address or name: good enough to show people where."""
    return _as_word(value).search(text) is not None


@lru_cache(maxsize=1024)
def _whole(value: str) -> re.Pattern[str]:
    return re.compile(f"{_BEFORE}({re.escape(value)}){_AFTER}")


@lru_cache(maxsize=1024)
def _as_word(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@.-]){re.escape(value)}(?![\w@-]|\.\w)")
