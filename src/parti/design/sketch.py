"""A sketch: what a design says, as plain values, so that a version loaded in another process can be compared with ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from parti.design.places import Place

FORMAT: Final = 2
"""The layout of the JSON; another number is refused."""


@dataclass(frozen=True, slots=True)
class PartSketch:
    """One part. `facts` are JSON values by name: schemas whole, functions and texts by their digests.

    `code` (of parts with a function) names all of the app's own code that the function leads to; "" where some of it could
    not be told.
    """

    kind: str
    name: str
    place: Place
    facts: Mapping[str, Any]
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        place = [self.place.file, self.place.line]
        return {"kind": self.kind, "name": self.name, "place": place, "facts": dict(self.facts), "code": self.code}

    @classmethod
    def of_json(cls, facts: Mapping[str, Any]) -> PartSketch:
        """A part out of its JSON values."""
        return cls(facts["kind"], facts["name"], Place(*facts["place"]), facts["facts"], facts["code"])


@dataclass(frozen=True, slots=True)
class Sketch:
    """A design as plain values. `digest` is the design's; `uses` are, for each runner and agent, all parts it leads to.

    `unseen` are the runners with spots that could not be read: what they use is not known whole. `system` are facts of no part:
    its name, and how labels are held.
    """

    name: str
    digest: str
    parts: Mapping[str, PartSketch]
    uses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    system: Mapping[str, Any] = field(default_factory=dict)
    place: Place = field(default=Place("", 0))

    def of_kind(self, *kinds: str) -> Iterable[PartSketch]:
        """The parts of those kinds, in the order of declaration."""
        return (part for part in self.parts.values() if part.kind in kinds)

    def used_by(self, runner: str) -> frozenset[str]:
        """The names of all parts that a runner or agent leads to, itself among them."""
        return self.uses.get(runner, frozenset((runner,)))

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "format": FORMAT,
            "name": self.name,
            "digest": self.digest,
            "parts": [part.as_json() for part in self.parts.values()],
            "uses": {name: sorted(used) for name, used in self.uses.items()},
            "unseen": sorted(self.unseen),
            "system": dict(self.system),
            "place": [self.place.file, self.place.line],
        }

    @classmethod
    def of_json(cls, facts: Mapping[str, Any]) -> Sketch:
        """A sketch out of its JSON values, which are of this FORMAT."""
        parts = [PartSketch.of_json(part) for part in facts["parts"]]
        uses = {name: frozenset(used) for name, used in facts["uses"].items()}
        named = {part.name: part for part in parts}
        whole = facts["system"], Place(*facts["place"])
        return cls(facts["name"], facts["digest"], named, uses, frozenset(facts["unseen"]), *whole)
