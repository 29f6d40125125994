"""Echoes: what strangers wrote and a run has read, found again in what it is about to do, whatever its design says may arrive there.

The flow through a design is read from its functions, and may miss a way; a value that stands again where it must not has come
there by some way. That proves only that it did, and never that it did not: words that were counted, cut up or put otherwise are
no echo. What is ours, too, is none: from a field that nobody distrusts, from a guard, or out of the program itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, Final

from parti.design.labelling import at_path
from parti.design.labels import Label, Labelled
from parti.trust.entropy import tells
from parti.trust.keeping import kept
from parti.trust.leaves import leaves, leaves_of_kept

VALUES_MAX: Final = 10_000
"""Values of strangers that are known; more are not looked for."""
PASSAGE: Final = 40
"""Characters from which a part of a stranger's text is told from words that anybody uses."""

_IDENTIFIER: Final = re.compile(r"\S*[\d@/]\S*")
"""An address, number, path or name with a digit: what a stranger's text holds in the middle, and nobody says by accident."""


class Echoes:
    """The values of one run, strangers' and ours. They are kept as they are read, and looked at once something is to be found."""

    __slots__ = ("_before", "_ours", "_strange", "_texts", "_waiting", "_written", "is_strange")

    def __init__(
        self,
        written: Callable[[], Collection[str]] = frozenset,
        before: Callable[[Echoes], None] | None = None,
    ) -> None:
        """`written` gives the texts of the program, casefolded; `before` learns what the run had read before it was taken up again.

        Both are called when they are first wanted.
        """
        self._written = written
        self._before = before
        self._waiting: list[tuple[str, Any, Any, Labelled, bool]] = []
        self._strange: dict[str, str] = {}
        self._ours: set[str] = set()
        self._texts: list[str] = []
        self.is_strange = before is not None
        """Whether anything that a stranger may have written was read."""

    def learn(self, where: str, kind: Any, value: Any, labelled: Labelled, *, ours: bool = True) -> None:
        """Know what came from `where`, a value of the type `kind`; with `ours` what is not UNTRUSTED in it is. About 1 µs."""
        if not self.is_strange:
            self.is_strange = _says_so(labelled)
        self._waiting.append((where, kind, kept(value), labelled, ours))

    def find(self, kind: Any, value: Any, is_minded: Callable[[str], bool]) -> str:
        """Where a text in `value` was read that a stranger may have written; "" where none is. `is_minded` tells of a path."""
        told = [leaf for leaf in leaves(kind, value) if tells(leaf.text) and is_minded(leaf.path)]
        if not told:
            return ""
        self._look()
        return next((where for leaf in told if (where := self._found(leaf.text.casefold()))), "")

    def is_ours(self, text: str) -> bool:
        """Whether a text is all of a value that is ours, or stands in one, or in the program."""
        return text in self._ours or text in self._written() or any(text in known for known in self._texts)

    def _found(self, text: str) -> str:
        where = self._strange.get(text, "")
        if where:
            return "" if self.is_ours(text) else where
        part = len(text) >= PASSAGE or _IDENTIFIER.fullmatch(text) is not None
        for known, where in self._strange.items():
            if known in text and not self.is_ours(known):
                return where
            if part and text in known and _stands_in(text, known) and not self.is_ours(text):
                return where
        return ""

    def _look(self) -> None:
        if self._before is not None:
            before, self._before = self._before, None
            before(self)
        for where, kind, value, labelled, ours in self._waiting:
            for leaf in leaves_of_kept(kind, value):
                if tells(leaf.text):
                    self._know(where, leaf.path, leaf.text.casefold(), labelled, ours)
        self._waiting.clear()

    def _know(self, where: str, path: str, text: str, labelled: Labelled, ours: bool) -> None:
        if Label.UNTRUSTED not in at_path(labelled, path):
            if ours:
                self._ours.add(text)
                self._texts.extend([text] if " " in text else ())
        elif len(self._strange) < VALUES_MAX:
            self._strange.setdefault(text, f"{where}.{path}" if path else where)


@lru_cache(maxsize=1024)
def _says_so(labelled: Labelled) -> bool:
    return any(tag is Label.UNTRUSTED for _, tag in labelled)


def _stands_in(text: str, known: str) -> bool:
    """Whether a text stands in another as a word of its own."""
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", known) is not None
