"""A diff of two designs: parts added, removed and renamed, and what changed of those that stayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from parti.design.compatibility import misfits
from parti.design.places import Place
from parti.design.sketch import PartSketch, Sketch

How = Literal["added", "removed", "renamed", "changed"]
SYSTEM: Final = "system"
"""The kind of what is no part: a part may have the system's name."""
PAYLOADS: Final = ("payload", "inputs", "output")
"""The facts that are a type with its schema, beside those of a function."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one part. `fact` names what changed of it ("" for the whole part), `place` is where it stands now.

    `misfits` are, for a type, the fields that values of the old one would not be read in, each with why.
    """

    how: How
    kind: str
    part: str
    place: Place
    fact: str = ""
    before: Any = None
    after: Any = None
    misfits: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if self.how == "renamed":
            return f"{self.kind} `{self.before}` is called `{self.part}` now"
        if self.how != "changed":
            return f"{self.kind} `{self.part}` was {self.how}"
        if self.misfits:
            return f"{self.fact} of `{self.part}`: {self.misfits[0][0]} {self.misfits[0][1]}"
        labels = " in its labels" if self._only_labels else ""
        return f"{self.fact} of `{self.part}` changed{labels}{self._values()}"

    @property
    def _only_labels(self) -> bool:
        return labels_alone(self.before, self.after)

    def _values(self) -> str:
        if all(isinstance(value, str | int | float | None) for value in (self.before, self.after)):
            return f" from {_shown(self.before)} to {_shown(self.after)}" if self.fact != "code" else ""
        return ""

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values, without the schemas."""
        misfits = [{"field": field, "why": why} for field, why in self.misfits]
        facts = {name: getattr(self, name) for name in ("how", "kind", "part", "fact")}
        return {**facts, "place": str(self.place), "what": str(self), "misfits": misfits}


@dataclass(frozen=True, slots=True)
class Diff:
    """Everything that differs between two designs, in the order of the new one, what is gone last."""

    changes: tuple[Change, ...]

    def of(self, part: str) -> tuple[Change, ...]:
        """What happened to the part of that name."""
        return tuple(change for change in self.changes if change.part == part and change.kind != SYSTEM)

    def new_name(self, part: str) -> str:
        """What a part that is gone is called now; "" when nothing took its place."""
        renamed = (one for one in self.changes if one.how == "renamed" and one.kind != SYSTEM)
        return next((one.part for one in renamed if one.before == part), "")


def labels_alone(before: Any, after: Any) -> bool:
    """Whether a type is as it was but for its labels."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping) and "schema" in before):
        return False
    return {**before, "labels": ()} == {**after, "labels": ()}


def diff(old: Sketch, new: Sketch) -> Diff:
    """What `new` has made of `old`."""
    gone = [part for name, part in old.parts.items() if name not in new.parts]
    changes = list(_of_system(old, new))
    for part in new.parts.values():
        before = old.parts.get(part.name)
        if before is None:
            before = next((one for one in gone if _alike(one, part)), None)
            if before is not None:
                gone.remove(before)
            changes.append(_arrival(part, before))
        elif before.kind != part.kind:
            changes.append(Change("changed", part.kind, part.name, part.place, "kind", before.kind, part.kind))
        if before is not None and before.kind == part.kind:
            changes += _changed(before, part)
    changes += [Change("removed", part.kind, part.name, part.place) for part in gone]
    return Diff(tuple(changes))


def _of_system(old: Sketch, new: Sketch) -> Iterator[Change]:
    if old.name != new.name:
        yield Change("renamed", SYSTEM, new.name, new.place, before=old.name, after=new.name)
    for fact, after in new.system.items():
        before = old.system.get(fact)
        if fact != "name" and before != after:
            yield Change("changed", SYSTEM, new.name, new.place, fact, before, after)


def _arrival(part: PartSketch, before: PartSketch | None) -> Change:
    if before is None:
        return Change("added", part.kind, part.name, part.place)
    return Change("renamed", part.kind, part.name, part.place, before=before.name, after=part.name)


def _alike(one: PartSketch, other: PartSketch) -> bool:
    """Whether a part looks like another under a new name: equal in all but what is made of its name."""

    def facts(part: PartSketch) -> dict[str, Any]:
        return {name: fact for name, fact in part.facts.items() if name not in ("about", "dead_letters")}

    return one.kind == other.kind and one.code == other.code and facts(one) == facts(other)


def _changed(before: PartSketch, after: PartSketch) -> Iterator[Change]:
    old, new = _flat(before.facts), _flat(after.facts)
    for name in dict.fromkeys((*new, *old)):
        was, now = old.get(name), new.get(name)
        if was != now:
            found = _misfits(was, now)
            yield Change("changed", after.kind, after.name, after.place, name, was, now, found)
    if before.code != after.code:
        yield Change("changed", after.kind, after.name, after.place, "code", before.code, after.code)


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a part, with those of its function beside them."""
    flat = dict(facts)
    flat.update(flat.pop("function", None) or {})
    return flat


def _misfits(was: Any, now: Any) -> tuple[tuple[str, str], ...]:
    if not (isinstance(was, Mapping) and isinstance(now, Mapping) and "schema" in was and "schema" in now):
        return ()
    return tuple(misfits(was["schema"], now["schema"]))


def _shown(value: object) -> str:
    return "nothing" if value is None or value == "" else f"{value}"
