"""What a picture shows: the parts worth drawing and one link, in the direction of the data, per pair of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from parti.design.graph import Arrow, Design, Part
from parti.design.topic import Topic

Manner = Literal["event", "data", "call", "ask"]

MANNERS: Final[dict[str, Manner]] = {
    "consumes": "event",
    "publishes": "event",
    "reads": "data",
    "writes": "data",
    "calls": "call",
    "asks": "ask",
}
_AGAINST: Final = {"consumes", "reads"}  # the data moves from the arrow's target to its source
_LEADING: Final = ("consumes", "writes", "publishes", "calls", "asks", "reads")


@dataclass(frozen=True, slots=True)
class Link:
    """All arrows between two parts. Data moves from `tail` to `head`, and back as well when `both`."""

    tail: str
    head: str
    both: bool
    arrows: tuple[Arrow, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its arrows, once each, in a fixed order."""
        found = {arrow.kind for arrow in self.arrows}
        return tuple(kind for kind in ("consumes", "reads", "writes", "publishes", "calls", "asks") if kind in found)

    @property
    def manner(self) -> Manner:
        """How it is drawn: as that of its leading arrow."""
        return MANNERS[_leading(self.arrows).kind]

    @property
    def may(self) -> bool:
        """Whether nothing of it is certain to happen."""
        return all(arrow.may for arrow in self.arrows)


def kind_of(part: Part) -> str:
    """The word for a part: ``topic``, ``handler`` …"""
    return type(part).__name__.lower()


def drawn_parts(design: Design) -> list[Part]:
    """The parts a picture shows: all, but for dead-letter topics that nothing touches."""
    touched = {name for arrow in design.arrows for name in (arrow.source, arrow.target)}
    spare = {topic.dead_letters for topic in design.all(Topic)} - touched
    return [part for part in design.parts if part.name not in spare]


def links(design: Design) -> list[Link]:
    """One link for each pair of parts with arrows between them, in the order in which the parts are declared."""
    rank = {part.name: index for index, part in enumerate(design.parts)}
    pairs: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in design.arrows:
        if arrow.source in rank and arrow.target in rank:
            ends = sorted((arrow.source, arrow.target), key=rank.__getitem__)
            pairs.setdefault((ends[0], ends[1]), []).append(arrow)
    found = [_link(arrows) for arrows in pairs.values()]
    return sorted(found, key=lambda link: (rank[link.tail], rank[link.head]))


def _link(arrows: list[Arrow]) -> Link:
    tail, head = _direction(_leading(arrows))
    both = tail != head and any(_direction(arrow) != (tail, head) for arrow in arrows)
    return Link(tail, head, both, tuple(sorted(arrows)))


def _direction(arrow: Arrow) -> tuple[str, str]:
    return (arrow.target, arrow.source) if arrow.kind in _AGAINST else (arrow.source, arrow.target)


def _leading(arrows: Iterable[Arrow]) -> Arrow:
    return min(arrows, key=lambda arrow: (_LEADING.index(arrow.kind), arrow))
