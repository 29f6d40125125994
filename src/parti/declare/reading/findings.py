"""What was found where: kept by instruction, so that the last and fullest reading of each one counts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from parti.declare.reading.frames import Spot
from parti.declare.types import short_path
from parti.design.graph import Arrow, Kind, Opaque
from parti.design.places import Place

Found = Arrow | Opaque
Notes = dict[int, set[Found]]


class Findings:
    """Arrows and opaque spots of one part. `notes` and `index` say for which instruction they are noted now."""

    def __init__(self, part: str, root: Path) -> None:
        self.notes: Notes = {}
        self.index = 0
        self._part = part
        self._root = root
        self._files: dict[str, str] = {}

    def draw(self, kind: Kind, target: str, spot: Spot, *, may: bool = False) -> None:
        """Note an arrow."""
        self.add((Arrow(self._part, kind, target, self._place(spot), may or spot.may),))

    def doubt(self, why: str, spot: Spot) -> None:
        """Note an opaque spot."""
        self.add((Opaque(self._part, self._place(spot), why),))

    def add(self, found: Iterable[Found]) -> None:
        """Note what was found, here or in a function called here."""
        self.notes.setdefault(self.index, set()).update(found)

    def start(self) -> None:
        """Begin anew, outside of every function."""
        self.notes, self.index = {}, 0

    def sorted(self) -> tuple[tuple[Arrow, ...], tuple[Opaque, ...]]:
        """All of it, sorted; an arrow that is certain outweighs its twin that may be."""
        found = all_of(self.notes)
        arrows = {item for item in found if isinstance(item, Arrow)}
        certain = {item for item in arrows if not item.may}
        unsure = {item for item in arrows - certain if Arrow(*_ends(item)) not in certain}
        return tuple(sorted(certain | unsure)), tuple(sorted(item for item in found if isinstance(item, Opaque)))

    def _place(self, spot: Spot) -> Place:
        short = self._files.get(spot.file)
        if short is None:
            short = self._files[spot.file] = short_path(spot.file, self._root)
        return Place(short, spot.line)


def _ends(arrow: Arrow) -> tuple[str, Kind, str, Place]:
    return arrow.source, arrow.kind, arrow.target, arrow.place


def all_of(notes: Notes) -> frozenset[Found]:
    """Everything noted for any instruction."""
    return frozenset().union(*notes.values())
