"""A barrier: what a gate keeps out of a part while the system runs, by label and by the path in what the part is given."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.fields import is_within
from parti.design.labels import Label, Labelled, Tag, Tags
from parti.rules.flow.clearing import overlap


@dataclass(frozen=True, slots=True)
class Barrier:
    """`text` says whose gate it is, and what it does with a call.

    It keeps the labels `stops` out wherever `cleared` does not say that they may be there. For what strangers wrote, a tool has
    instead the arguments that they may not decide (`decides`), and the fields beside those (`beside`), where it may arrive.
    """

    text: str
    stops: Tags
    cleared: Labelled
    decides: tuple[str, ...] | None = None
    beside: tuple[str, ...] = ()

    def ways_in(self, path: str, tag: Tag) -> tuple[str, ...]:
        """Where a label that is handed over at `path` arrives nonetheless."""
        if tag not in self.stops:
            return (path,)
        if tag is not Label.UNTRUSTED or self.decides is None:
            said = [known for known, one in self.cleared if one == tag]
            if any(is_within(path, known) for known in said):
                return (path,)
            return tuple(known for known in said if is_within(known, path))
        met = [one for one in self.decides if overlap(one, path)]
        if not met:
            return (path,)
        if any(is_within(path, one) for one in met):
            return ()
        return tuple(one for one in self.beside if is_within(one, path))

    @property
    def holds_strangers_off(self) -> bool:
        """Whether strangers decide nothing of what the part does."""
        if self.decides is None:
            return self.ways_in("", Label.UNTRUSTED) == ()
        return Label.UNTRUSTED in self.stops and self.decides != ()
