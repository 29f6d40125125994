"""A trail: where the values of a run came from, so that an argument can be traced to the field that it was taken from.

A value proves where it came from only if it is surprising enough (see entropy) or of a nominal type. And a genuine value says
nothing of who chose it: one is *named* if the task says it, if it is all that a call answered whose arguments were named, or if
it was used before anything untrusted was read. Any other choice after that is the stranger's. After Debenedetti et al.,
"Defeating Prompt Injections by Design" (CaMeL, 2025), and Costa et al., "Securing AI Agents with Information-Flow Control" (2025).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from parti.design.labelling import at_path
from parti.design.labels import NONE, Label, Labelled, Tags
from parti.trust.entropy import tells
from parti.trust.leaves import Leaf, leaves

VALUES_MAX: Final = 10_000
"""Values that a trail knows; the oldest are forgotten first, and then come from nowhere."""
TEXTS_MAX: Final = 100
"""Texts in which values are looked for."""


@dataclass(frozen=True, slots=True)
class Known:
    """Where a value came from, what that field carries, and whether the task named it."""

    where: str
    tags: Tags
    named: bool


class Trail:
    """The values of a run, or of one agent's work in it, which also knows those of its run (`around`)."""

    __slots__ = ("_around", "_texts", "_values")

    def __init__(self, around: Trail | None = None) -> None:
        self._around = around
        self._values: dict[tuple[str, str], Known] = {}
        self._texts: deque[tuple[str, Known]] = deque(maxlen=TEXTS_MAX)

    def learn(self, where: str, kind: Any, value: Any, labelled: Labelled, *, named: bool, task: bool = False) -> None:
        """Know the values of what came from `where`.

        `named` says that the call that gave it was; then a value that it gives alone is, and with `task` every one.
        """
        for leaf in leaves(kind, value):
            tags = at_path(labelled, leaf.path)
            at = f"{where}.{leaf.path}" if leaf.path else where
            trusted = Label.UNTRUSTED not in tags
            known = Known(at, tags, trusted and named and (task or not leaf.many))
            self._put(leaf, known)
            if not trusted or task:
                self._texts.append((leaf.text, known))

    def chosen(self, kind: Any, value: Any) -> None:
        """Know that the values were used before anything untrusted was read: whoever chose them was not misled."""
        for leaf in leaves(kind, value):
            known = self._lookup(leaf)
            if known is None or not known.named:
                where = known.where if known else "chosen before anything untrusted was read"
                self._put(leaf, Known(where, known.tags if known else NONE, named=True))

    def trace(self, kind: Any, value: Any) -> Known | None:
        """Where all of a value comes from, if it was named; None where that cannot be told."""
        found = [self._named(leaf) for leaf in leaves(kind, value)]
        named = [known for known in found if known is not None]
        if len(named) < len(found):
            return None
        where = ", ".join(dict.fromkeys(known.where for known in named)) or "nothing"
        return Known(where, NONE.union(*(known.tags for known in named)), named=True)

    def seen(self, kind: Any, value: Any) -> str:
        """Where a value was seen, named or not, for people to judge; "" where nowhere."""
        return ", ".join(dict.fromkeys(filter(None, (self._seen(leaf) for leaf in leaves(kind, value)))))

    def _named(self, leaf: Leaf) -> Known | None:
        known = self._lookup(leaf)
        if known is not None and known.named and (leaf.nominal or tells(leaf.text)):
            return known
        return self._in_texts(leaf, named=True) if tells(leaf.text) else None

    def _seen(self, leaf: Leaf) -> str:
        known = self._lookup(leaf) or self._in_texts(leaf, named=False)
        return known.where if known else ""

    def _lookup(self, leaf: Leaf) -> Known | None:
        mine = self._values.get((leaf.nominal, leaf.text))
        if mine is not None or self._around is None:
            return mine
        return self._around._lookup(leaf)

    def _in_texts(self, leaf: Leaf, *, named: bool) -> Known | None:
        """The text in which the value stands as a word of its own."""
        if leaf.text:
            for text, known in self._all_texts():
                if (known.named or not named) and leaf.text in text and _as_word(leaf.text).search(text):
                    return known
        return None

    def _all_texts(self) -> Iterable[tuple[str, Known]]:
        yield from self._texts
        if self._around is not None:
            yield from self._around._all_texts()

    def _put(self, leaf: Leaf, known: Known) -> None:
        """An untrusted text never takes the place of what is known already; what is named takes any."""
        key = (leaf.nominal, leaf.text)
        before = self._values.get(key)
        if before is not None and before.named:
            return
        if before is None and len(self._values) >= VALUES_MAX:
            del self._values[next(iter(self._values))]
        self._values[key] = known


@lru_cache(maxsize=1024)
def _as_word(text: str) -> re.Pattern[str]:
    """Finds a text where it is no part of a longer word, address or name."""
    return re.compile(rf"(?<![\w@.-]){re.escape(text)}(?![\w@-]|\.\w)")
