"""A taint: the labels of all that a run has read so far, each with where it was read first; it only ever grows."""

from __future__ import annotations

from collections.abc import Mapping

from parti.design.labelling import tag_of
from parti.design.labels import Label, Tag, Tags


class Taint:
    """The union of the labels of what was read."""

    __slots__ = ("held", "untrusted")

    def __init__(self, held: Mapping[Tag, str] | None = None) -> None:
        self.held: dict[Tag, str] = dict(held or {})
        """Each label, and the part by which it came first."""
        self.untrusted = False
        """Whether anything untrusted was read by now. In a replay that comes later than `held`, which the journal says at once."""

    def add(self, part: str, tags: Tags) -> list[str]:
        """Hold the labels of what was read by `part`; those that are new, as text, in order."""
        if not self.untrusted:
            self.untrusted = Label.UNTRUSTED in tags
        if tags <= self.held.keys():
            return []
        fresh = sorted((tag for tag in tags if tag not in self.held), key=str)
        for tag in fresh:
            self.held[tag] = part
        return [str(tag) for tag in fresh]

    def restore(self, journaled: Mapping[str, str]) -> None:
        """Hold what the journal says was read."""
        for text, part in journaled.items():
            self.held.setdefault(tag_of(text), part)

    def with_those(self, quarantine: Quarantine | None) -> Taint:
        """This, and what was read inside a guard."""
        return self if quarantine is None else Taint({**self.held, **quarantine.inside.held})


class Quarantine:
    """The inside of a guard: what it reads of the labels that it `releases` stays inside."""

    __slots__ = ("inside", "releases")

    def __init__(self, releases: Tags, around: Quarantine | None) -> None:
        self.releases: Tags = releases | (around.releases if around else frozenset())
        self.inside: Taint = around.inside if around else Taint()

    def keep(self, part: str, tags: Tags) -> Tags:
        """Hold inside what stays inside; the rest of the labels."""
        self.inside.add(part, tags & self.releases)
        return tags - self.releases
