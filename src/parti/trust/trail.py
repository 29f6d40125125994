"""A trail: where the values of a run came from, so that an argument can be traced to the field that it was taken from.

A value proves where it came from only if it is surprising enough (see entropy) or of a nominal type. And a genuine value says
nothing of who chose it: one is *named* if the task says it, if it is all that a call answered whose arguments were named, or if
it was used before anything untrusted was read. Any other choice after that is the stranger's. After Debenedetti et al.,
"Defeating Prompt Injections by Design" (CaMeL, 2025), and Costa et al., "Securing AI Agents with Information-Flow Control" (2025).
"""

from __future__ import annotations

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
from parti.trust.words import has_word, has_words

VALUES_MAX: Final = 10_000
"""Values that a trail knows; the oldest are forgotten first, and then come from nowhere."""
TEXTS_MAX: Final = 100
"""Texts in which values are looked for."""
WAITING_MAX: Final = 256
"""How much is kept at most before it is looked at."""
UNTRUSTED: Final[Labelled] = (("", Label.UNTRUSTED),)
STRANGERS: Final[Tags] = frozenset({Label.UNTRUSTED})
BEFORE: Final = "chosen before anything untrusted was read"


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
        self._texts: deque[tuple[Leaf, Known]] = deque(maxlen=TEXTS_MAX)
        self._waiting: list[tuple[Any, ...]] = around._waiting if around is not None else []
        """What was learned and is not looked at yet, by this trail and those around and inside it: a method, and what it is given."""

    def learn(
        self, where: str, kind: Any, value: Any, labelled: Labelled, *, named: bool | Naming, task: bool = False
    ) -> None:
        """Know the values of what came from `where`.

        `named` says that the call that gave it was; then a value that it gives alone is, and with `task` every one.
        """
        self._wait((self._learn, where, kind, kept(value), labelled, named, task))

    def learn_task(self, where: str, task: str, *, trusted: bool, held: Tags = NONE) -> None:
        """Know what an agent was told to do: trusted if so said, or if the text can be traced around it.

        `held` are the labels of what the run has read by then: a task that cannot be traced may repeat any of it.
        """
        self._wait((self._learn_task, where, task, trusted, held))

    def chosen(self, kind: Any, value: Any, held: Tags = NONE) -> None:
        """Know that the values were used before anything untrusted was read: whoever chose them was not misled.

        `held` are the labels of what the run has read by then: a value that is not known may come of any of it.
        """
        self._wait((self._chosen, kind, kept(value), held))

    def naming(self, kinds: Sequence[Any], given: Iterable[Any]) -> bool | Naming:
        """Whether these values, whose types are `kinds`, are all named by now; where there is none, nothing was named."""
        values = [kept(value) for value in given]
        if not values or any(map(is_accidental, kinds, values)):
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
        return self.seen_leaves(leaves(kind, value))

    def trace_leaf(self, leaf: Leaf) -> Known | None:
        """Where a leaf of a value comes from, if it was named; None where that cannot be told."""
        self._look()
        return self._named(leaf)

    def seen_leaves(self, every: Iterable[Leaf]) -> str:
        """Where leaves were seen, named or not, for people to judge; "" where nowhere."""
        self._look()
        return ", ".join(dict.fromkeys(filter(None, map(self._seen, every))))

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
            known, chosen = _field(where, labelled, leaf.path, leaf.typed)
            trusted = Label.UNTRUSTED not in known.tags
            found = chosen if trusted and choice and (task or not leaf.many) else known
            self._put(leaf, found)
            if not trusted or task:
                self._texts.append((leaf, found))

    def _learn_task(self, where: str, task: str, trusted: bool, held: Tags) -> None:
        known = self._around._trace(str, task) if self._around is not None else None
        if known is None and not trusted:
            self._learn(where, str, task, UNTRUSTED, named=False, task=True)
        else:
            carried = known.tags if known is not None else held - STRANGERS
            labelled = tuple(("", tag) for tag in sorted(carried, key=str))
            self._learn(where, str, task, labelled, named=True, task=True)

    def _chosen(self, kind: Any, value: Any, held: Tags) -> None:
        for leaf in leaves_of_kept(kind, value):
            if self._named(leaf) is None:
                known = self._lookup(leaf) or Known(BEFORE, held, named=False)
                self._put(leaf, Known(known.where, known.tags - STRANGERS, named=True))

    def _name(self, naming: Naming) -> None:
        found = False
        for kind, value in zip(naming.kinds, naming.given, strict=True):
            for leaf in leaves_of_kept(kind, value):
                if self._named(leaf) is None:
                    return
                found = True
        naming.named = found

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
        if not leaf.nominal and not tells(leaf.text):
            return None
        known = self._lookup(leaf)
        if known is not None and known.named:
            return known
        found = self._in_texts(leaf, named=True) if tells(leaf.text) else None
        return _both(found, known) if found is not None and known is not None else found

    def _seen(self, leaf: Leaf) -> str:
        known = self._lookup(leaf) or self._in_texts(leaf, named=False)
        return known.where if known else ""

    def _lookup(self, leaf: Leaf) -> Known | None:
        """What is known of the value here and around."""
        mine = self._values.get((leaf.nominal, leaf.text))
        if self._around is None:
            return mine
        other = self._around._lookup(leaf)
        return _both(mine, other) if mine is not None and other is not None else mine or other

    def _in_texts(self, leaf: Leaf, *, named: bool) -> Known | None:
        """The texts in which the value stands, with the labels of all; `named`: those that name it, as words of their own."""
        found = None
        if leaf.text:
            for around, known in self._all_texts():
                text = around.text
                if leaf.text not in text or (named and not (known.named and _may_be(leaf, around))):
                    continue
                if has_words(text, leaf.text) if named else has_word(text, leaf.text):
                    found = known if found is None else _both(found, known)
        return found

    def _all_texts(self) -> Iterable[tuple[Leaf, Known]]:
        yield from self._texts
        if self._around is not None:
            yield from self._around._all_texts()

    def _put(self, leaf: Leaf, known: Known) -> None:
        """Nothing takes away that a value was named, nor a label of where it stands."""
        key = (leaf.nominal, leaf.text)
        before = self._values.get(key)
        if before is None and len(self._values) >= VALUES_MAX:
            del self._values[next(iter(self._values))]
        self._values[key] = known if before is None else _both(before, known)


def _may_be(leaf: Leaf, text: Leaf) -> bool:
    """An id of one type is none of another, but a text may say any."""
    return not (leaf.nominal and text.nominal) or leaf.nominal == text.nominal


def _both(one: Known, other: Known) -> Known:
    """What is known of a value that stands in two places: where it was named, or first, with the labels of both.

    That strangers wrote it as well says nothing of who named it.
    """
    first = other if other.named and not one.named else one
    tags = one.tags | other.tags
    tags = tags - STRANGERS if first.named else tags
    return first if tags == first.tags else Known(first.where, tags, first.named)


@lru_cache(maxsize=4096)
def _field(where: str, labelled: Labelled, path: str, typed: str | None) -> tuple[Known, Known]:
    """What is known of a field of what came from `where`: not named, and named."""
    tags = at_path(labelled, path) | (at_path(labelled, typed) if typed is not None else NONE)
    at = f"{where}.{path}" if path else where
    return Known(at, tags, named=False), Known(at, tags, named=True)
