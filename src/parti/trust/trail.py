"""A trail: where the values of a run came from, so that an argument can be traced to the field that it was taken from.

A value proves where it came from only if it is surprising enough (see entropy) or of a nominal type. And a genuine value says
nothing of who chose it: one is *named* if the task says it, if it is all that a call answered whose arguments were named, or if
it was used before anything untrusted was read. Any other choice after that is the stranger's. After Debenedetti et al.,
"Defeating Prompt Injections by Design" (CaMeL, 2025), and Costa et al., "Securing AI Agents with Information-Flow Control" (2025).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from parti.design.labelling import at_path
from parti.design.labels import NONE, Label, Labelled, Tags
from parti.trust.entropy import tells
from parti.trust.keeping import kept
from parti.trust.leaves import Leaf, is_accidental, leaves, leaves_of_kept

VALUES_MAX: Final = 10_000
"""Values that a trail knows; the oldest are forgotten first, and then come from nowhere."""
TEXTS_MAX: Final = 100
"""Texts in which values are looked for."""
WAITING_MAX: Final = 256
"""How much is kept at most before it is looked at."""
UNTRUSTED: Final[Labelled] = (("", Label.UNTRUSTED),)


@dataclass(frozen=True, slots=True)
class Known:
    """Where a value came from, what that field carries, and whether the task named it."""

    where: str
    tags: Tags
    named: bool


class Naming:
    """Whether what a call is about was named: `named` is told once somebody asks."""

    __slots__ = ("given", "kinds", "named")

    def __init__(self, kinds: Sequence[Any], given: list[Any]) -> None:
        self.kinds, self.given, self.named = kinds, given, False


class Trail:
    """The values of a run, or of one agent's work in it, which also knows those of its run (`around`).

    What is learned is only kept, in its order and as it was then, and looked at when something is to be traced: most runs
    never ask. That takes about 1 µs for each value of few fields, and some 2 µs for each field when it is looked at.
    """

    __slots__ = ("_around", "_texts", "_values", "_waiting")

    def __init__(self, around: Trail | None = None) -> None:
        self._around = around
        self._values: dict[tuple[str, str], Known] = {}
        self._texts: deque[tuple[str, Known]] = deque(maxlen=TEXTS_MAX)
        self._waiting: list[tuple[Any, ...]] = around._waiting if around is not None else []
        """What was learned and is not looked at yet, by this trail and those around and inside it: a method, and what it is given."""

    def learn(
        self, where: str, kind: Any, value: Any, labelled: Labelled, *, named: bool | Naming, task: bool = False
    ) -> None:
        """Know the values of what came from `where`.

        `named` says that the call that gave it was; then a value that it gives alone is, and with `task` every one.
        """
        self._wait((self._learn, where, kind, kept(value), labelled, named, task))

    def learn_task(self, where: str, task: str, *, trusted: bool) -> None:
        """Know what an agent was told to do: trusted if so said, or if the text can be traced around it."""
        self._wait((self._learn_task, where, task, trusted))

    def chosen(self, kind: Any, value: Any) -> None:
        """Know that the values were used before anything untrusted was read: whoever chose them was not misled."""
        self._wait((self._chosen, kind, kept(value)))

    def naming(self, kinds: Sequence[Any], given: Iterable[Any]) -> bool | Naming:
        """Whether all of these values, whose types are `kinds`, are named by now."""
        values = [kept(value) for value in given]
        if any(map(is_accidental, kinds, values)):
            return False
        naming = Naming(kinds, values)
        self._wait((self._name, naming))
        return naming

    def trace(self, kind: Any, value: Any) -> Known | None:
        """Where all of a value comes from, if it was named; None where that cannot be told."""
        self._look()
        return self._trace(kind, kept(value))

    def seen(self, kind: Any, value: Any) -> str:
        """Where a value was seen, named or not, for people to judge; "" where nowhere."""
        self._look()
        return ", ".join(dict.fromkeys(filter(None, (self._seen(leaf) for leaf in leaves(kind, value)))))

    def _wait(self, one: tuple[Any, ...]) -> None:
        self._waiting.append(one)
        if len(self._waiting) >= WAITING_MAX:
            self._look()

    def _look(self) -> None:
        """Look at all that was learned, in its order."""
        for method, *given in self._waiting:
            method(*given)
        self._waiting.clear()

    def _learn(self, where: str, kind: Any, value: Any, labelled: Labelled, named: bool | Naming, task: bool) -> None:
        choice = named if isinstance(named, bool) else named.named
        for leaf in leaves_of_kept(kind, value):
            known, chosen = _field(where, labelled, leaf.path)
            trusted = Label.UNTRUSTED not in known.tags
            found = chosen if trusted and choice and (task or not leaf.many) else known
            self._put(leaf, found)
            if not trusted or task:
                self._texts.append((leaf.text, found))

    def _learn_task(self, where: str, task: str, trusted: bool) -> None:
        trusted = trusted or (self._around is not None and self._around._trace(str, task) is not None)
        self._learn(where, str, task, () if trusted else UNTRUSTED, trusted, True)

    def _chosen(self, kind: Any, value: Any) -> None:
        for leaf in leaves_of_kept(kind, value):
            known = self._lookup(leaf)
            if known is None or not known.named:
                where = known.where if known else "chosen before anything untrusted was read"
                self._put(leaf, Known(where, known.tags if known else NONE, named=True))

    def _name(self, naming: Naming) -> None:
        for kind, value in zip(naming.kinds, naming.given, strict=True):
            for leaf in leaves_of_kept(kind, value):
                if self._named(leaf) is None:
                    return
        naming.named = True

    def _trace(self, kind: Any, value: Any) -> Known | None:
        named = []
        for leaf in leaves_of_kept(kind, value):
            known = self._named(leaf)
            if known is None:
                return None
            named.append(known)
        where = ", ".join(dict.fromkeys(known.where for known in named)) or "nothing"
        return Known(where, NONE.union(*(known.tags for known in named)), named=True)

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


@lru_cache(maxsize=4096)
def _field(where: str, labelled: Labelled, path: str) -> tuple[Known, Known]:
    """What is known of a field of what came from `where`: not named, and named."""
    tags = at_path(labelled, path)
    at = f"{where}.{path}" if path else where
    return Known(at, tags, named=False), Known(at, tags, named=True)


@lru_cache(maxsize=1024)
def _as_word(text: str) -> re.Pattern[str]:
    """Finds a text where it is no part of a longer word, address or name."""
    return re.compile(rf"(?<![\w@.-]){re.escape(text)}(?![\w@-]|\.\w)")
