"""A veil: the labelled values that a run knows, put behind tokens where they leave, and in front of them where they come back.

Values are known by what they are, wherever they stand: in a field, or in the middle of a text. What a program cut up, counted or
put into other words is another value, and known only if it was labelled, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from parti.design.labelling import cleared_at
from parti.design.labels import Label, Labelled, Tags
from parti.trust.forms import forms, is_findable, is_free, key_of, pattern, pieces, words
from parti.trust.leaves import leaves
from parti.trust.tokens import TOKEN, token

MASKED: Final[Tags] = frozenset({Label.PII, Label.SECRET})
"""What a gate can mask. A stranger's word stays a stranger's word behind a token, and a region is no value."""

VALUES_MAX: Final = 10_000
"""Values that a veil knows; one that has met more masks nothing, and its gates do the stricter thing."""

Allowed = Callable[[Tags], bool]


@dataclass(slots=True)
class _Value:
    """A labelled value: how it was written, where it came from first, and what names it in tokens."""

    text: str
    where: str
    tags: Tags
    code: str
    whole: bool
    """Whether it is looked for where it is all of a field or message, and not in the middle of a text."""
    free: bool
    cased: bool
    """Whether it is a word of a value alone, which is found in its own case."""
    looked: tuple[tuple[str, str], ...] = ()
    """Its forms, each after the word by which it is first looked for; made when they are first wanted."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A value that was masked: the field it came from, its label, its token, and how often it stood there."""

    field: str
    label: Label
    token: str
    times: int

    def as_json(self) -> dict[str, Any]:
        """As it is journaled: without the value."""
        return {"field": self.field, "label": str(self.label), "token": self.token, "times": self.times}


class Veil:
    """The values of one run. `code` names a value (see tokens); `tokens` are those that the journal has, by code."""

    __slots__ = ("_by_code", "_code", "_met", "_tokens", "_values", "is_full")

    def __init__(self, code: Callable[[str], str], tokens: Mapping[str, str]) -> None:
        self._code = code
        self._tokens = dict(tokens)
        self._values: dict[str, _Value] = {}
        self._by_code: dict[str, _Value] = {}
        self._met: set[tuple[str, Tags, bool]] = set()
        self.is_full = False

    def learn(self, where: str, kind: Any, value: Any, labelled: Labelled) -> None:
        """Know the labelled values in what came from `where`, a value of the type `kind`."""
        if _is_masked(labelled):
            for leaf in leaves(kind, value):
                tags = (cleared_at(labelled, leaf.path) if leaf.is_key else leaf.tags(labelled)) & MASKED
                if tags:
                    at = f"{where}.{leaf.path}" if leaf.path else where
                    self.know(at, leaf.text, tags)

    def know(self, where: str, text: str, tags: Tags, *, whole: bool = False) -> None:
        """Know one value, the words of a name, and the lines and sentences of a free text. With `whole` it is known as a whole message alone."""
        if (text, tags, whole) in self._met or self.is_full:
            return
        self._met.add((text, tags, whole))
        free = is_free(text)
        self._put(where, text, tags, whole=whole or not is_findable(text), free=free)
        for piece in pieces(text) if free else ():
            self._put(where, piece, tags, whole=False, free=True)
        for word in words(text) if not whole else ():
            self._put(where, word, tags, whole=False, free=False, cased=True)

    def _put(self, where: str, text: str, tags: Tags, *, whole: bool, free: bool, cased: bool = False) -> None:
        key = key_of(text)
        if not key:
            return
        known = self._values.get(key)
        if known is not None:
            known.tags |= tags
            known.whole = known.whole and whole
            known.cased = known.cased and cased
            return
        if len(self._values) >= VALUES_MAX:
            self.is_full = True
            return
        code = self._code(key)
        self._values[key] = self._by_code[code] = _Value(text, where, tags, code, whole, free, cased)

    def holds(self, text: str, tags: Tags) -> bool:
        """Whether a value, of whatever length, equals one with these labels."""
        known = self._values.get(key_of(text))
        return known is not None and bool(known.tags & tags)

    def cover(self, text: str, tags: Tags, times: Counter[str], *, but_free: bool = False) -> str:
        """The text with every value that has one of the labels behind its token; `times` counts codes.

        With `but_free` free texts are left as they are, since what lies in them was looked for and is known by itself.
        """
        known = self._values.get(key_of(text))
        if known is not None and known.tags & tags and not (but_free and known.free):
            times[known.code] += 1
            return self.token_of(known)
        before = ""
        while before != text:  # where a long value goes, a short one that was a part of the same word stands alone
            found = self._within(text, tags, but_free=but_free)
            before, text = text, self._replaced(text, found, times) if found else text
        return text

    def _within(self, text: str, tags: Tags, *, but_free: bool) -> list[tuple[str, _Value]]:
        """The forms of values that may stand in a text, the longest first."""
        folded, found = text.casefold(), []
        for value in self._values.values():
            if value.tags & tags and not value.whole and not (but_free and value.free):
                value.looked = value.looked or tuple((form.split()[0].casefold(), form) for form in forms(value.text))
                found += [(form, value) for first, form in value.looked if first in folded]
        return sorted(found, key=lambda one: (-len(one[0]), one[0]))

    def _replaced(self, text: str, found: list[tuple[str, _Value]], times: Counter[str]) -> str:
        wanted = [f"({pattern(form, escaped=chr(92) in text, cased=value.cased)})" for form, value in found]
        first = f"(?:{TOKEN.pattern})" if "[" in text else "()(?!)"
        looked = re.compile("|".join([first, *wanted]))

        def instead(match: re.Match[str]) -> str:
            at = match.lastindex or 1
            if at == 1:
                if match[1] in self._by_code:  # a token already
                    return match[0]
                return "[" + looked.sub(instead, match[0][1:])
            value = found[at - 2][1]
            times[value.code] += 1
            return self.token_of(value)

        return looked.sub(instead, text)

    def token_of(self, value: _Value) -> str:
        """The token of a value, as it was first made: the labels and names that are learned later do not change it."""
        made = self._tokens.get(value.code)
        if made is None:
            label = Label.SECRET if Label.SECRET in value.tags else Label.PII
            made = self._tokens[value.code] = token(label, value.where.rpartition(".")[2], value.code)
        return made

    def covered(self, times: Counter[str]) -> list[Covered]:
        """What was masked, by field."""
        values = [(self._by_code[code], count) for code, count in times.items()]
        made = [
            Covered(one.where, Label.SECRET if Label.SECRET in one.tags else Label.PII, self.token_of(one), count)
            for one, count in values
        ]
        return sorted(made, key=lambda one: (one.field, one.token))

    def uncover(self, text: str, allowed: Allowed) -> str:
        """The text with the values of the run's own tokens in their place again, where their labels are `allowed`."""

        def value(match: re.Match[str]) -> str:
            known = self._by_code.get(match[1])
            return known.text if known is not None and allowed(known.tags) else match[0]

        return TOKEN.sub(value, text) if "[" in text else text


@lru_cache(maxsize=4096)
def _is_masked(labelled: Labelled) -> bool:
    return any(tag in MASKED for _, tag in labelled)


def tokens_in(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The tokens that gates have journaled, by code."""
    found = {}
    for answer in entries:
        for one in answer.get("masked", ()):
            match = TOKEN.fullmatch(one["token"])
            if match:
                found[match[1]] = one["token"]
    return found
