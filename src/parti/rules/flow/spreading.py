"""Spreading labels along edges until nothing changes, with the shortest way by which each label came to each slot.

Labels only ever are added, to finitely many slots (paths are cut at a depth), so it ends: Kildall, "A Unified Approach to
Global Program Optimization" (1973).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from parti.design.dataflow import Port, Slot
from parti.design.fields import DEEPEST
from parti.design.graph import Design
from parti.design.labels import Tag
from parti.design.places import NOWHERE, Place
from parti.rules.flow.edges import Edge


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a way: what is true at a place."""

    place: Place
    text: str
    gate: str = ""
    """The gate that keeps the label out there, where there is one."""
    begins: str = ""
    """The field or part where the way begins, if this is its first stage."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A label is at a slot: it came from `before`, where it was `tag`, by `edge`; or begins there."""

    before: Slot | None
    tag: Tag
    edge: Edge | None


@dataclass(frozen=True, slots=True)
class _At:
    """A label at a slot; `unseen` that the run may not know of it."""

    slot: Slot
    tag: Tag
    unseen: bool = False


Index = dict[tuple[str, Port], list[Edge]]
"""The edges by the port that they leave."""


class Spread:
    """Which labels may be where, and how they came there; with `gated`, but for what barriers keep out."""

    def __init__(self, design: Design, edges: Index, seeds: Iterable[tuple[Slot, Tag]], *, gated: bool = False) -> None:
        self._design = design
        self._edges = edges
        self._gated = gated
        self._seen: set[_At] = set()
        self._known: dict[tuple[str, Port], dict[str, dict[Tag, Arrival]]] = defaultdict(lambda: defaultdict(dict))
        self._spread(seeds)

    def _spread(self, seeds: Iterable[tuple[Slot, Tag]]) -> None:
        waiting: deque[_At] = deque()
        for slot, tag in seeds:
            self._arrive(_At(slot, tag), Arrival(None, tag, None), waiting)
        while waiting:
            at = waiting.popleft()
            for edge in self._edges.get((at.slot.part, at.slot.port), ()):
                becomes = edge.hands_on(at.tag)
                target = arrives(edge, at.slot.path) if becomes is not None else None
                if target is not None and becomes is not None:
                    for reached in self._ways_in(edge, target, becomes, at):
                        self._arrive(reached, Arrival(at.slot, at.tag, edge), waiting)

    def _ways_in(self, edge: Edge, target: Slot, tag: Tag, at: _At) -> Iterator[_At]:
        """Where a label arrives: past a gate that does not see it, everywhere. What is stored is seen by whoever reads it."""
        unseen = self._gated and (at.unseen or edge.unseen) and target.port != "data"
        if edge.barrier is None or not self._gated or at.unseen or edge.unseen:
            yield _At(target, tag, unseen)
            return
        for path in edge.barrier.ways_in(target.path, tag):
            yield _At(Slot(target.part, target.port, path), tag, unseen)

    def _arrive(self, at: _At, by: Arrival, waiting: deque[_At]) -> None:
        if at not in self._seen and replace(at, unseen=True) not in self._seen:
            self._seen.add(at)
            self._known[at.slot.part, at.slot.port][at.slot.path].setdefault(at.tag, by)
            waiting.append(at)

    def is_unseen(self, part: str, port: Port, tag: Tag) -> bool:
        """Whether the label may be there without the run's knowing."""
        return any(_At(slot, tag, True) in self._seen for slot in self.slots(part, port, tag))

    def at(self, part: str, port: Port, path: str = "") -> dict[Tag, Slot]:
        """The labels of the field `path`, of what it lies in and of what lies in it; each with the slot where it is."""
        found: dict[Tag, Slot] = {}
        for known, tags in sorted(self._known.get((part, port), {}).items()):
            if _overlap(known, path):
                for tag in tags:
                    found.setdefault(tag, Slot(part, port, known))
        return dict(sorted(found.items(), key=lambda item: str(item[0])))

    def slots(self, part: str, port: Port, tag: Tag) -> list[Slot]:
        """Every slot of the port where the label is, in order."""
        known = self._known.get((part, port), {})
        return [Slot(part, port, path) for path in sorted(known) if tag in known[path]]

    def way(self, slot: Slot, tag: Tag) -> tuple[Stage, ...]:
        """How the label came to the slot, from where it begins."""
        stages: list[Stage] = []
        at: Slot | None = slot
        while at is not None:
            arrival = self._known[at.part, at.port][at.path][tag]
            stages.append(_stage(self._design, at, tag, arrival))
            at, tag = arrival.before, arrival.tag
        return tuple(reversed(stages))


def _stage(design: Design, slot: Slot, tag: Tag, arrival: Arrival) -> Stage:
    if arrival.edge is None or arrival.before is None:
        part = design.by_name.get(slot.part)
        return Stage(part.place if part else NOWHERE, f"{_name(slot)} is {tag}", begins=str(slot))
    verb = {"value": "goes to", "choice": "chooses", "condition": "decides"}[arrival.edge.manner]
    barrier = arrival.edge.barrier
    shut = barrier is not None and slot.path not in barrier.ways_in(slot.path, tag)
    return Stage(
        arrival.edge.place, f"{_name(arrival.before)} {verb} {_name(slot)}", barrier.text if barrier and shut else ""
    )


def _name(slot: Slot) -> str:
    ending = {
        "out": "what {} gives",
        "log": "the log of {}",
        "runs": "a program run by {}",
        "fails": "an error of {}",
    }.get(slot.port, "{}")
    return ending.format(f"`{slot}`")


def arrives(edge: Edge, path: str) -> Slot | None:
    """Where a label at `path` of the edge's source arrives; None where the edge carries another field."""
    wanted, target = edge.source.path, edge.target
    if not _overlap(path, wanted):
        return None
    below = path[len(wanted) :].lstrip(".") if len(path) > len(wanted) else ""
    if not below or not edge.exact:
        return target
    names = [*filter(None, target.path.split(".")), *below.split(".")][:DEEPEST]
    return Slot(target.part, target.port, ".".join(names))


def _overlap(one: str, other: str) -> bool:
    """Whether one path is the other, or leads into or out of it."""
    short, long = sorted((one, other), key=len)
    return not short or long == short or long.startswith(f"{short}.")


def indexed(edges: Iterable[Edge]) -> Index:
    """The edges by the port that they leave."""
    found: Index = defaultdict(list)
    for edge in edges:
        found[edge.source.part, edge.source.port].append(edge)
    return found


def reached(edges: Index, start: Slot) -> Iterator[Slot]:
    """Every slot that what is at `start` may reach, as a value or by choosing one, the nearest first."""
    seen, waiting = {start}, deque([start])
    while waiting:
        slot = waiting.popleft()
        yield slot
        for edge in edges.get((slot.part, slot.port), ()):
            target = arrives(edge, slot.path)
            if target is not None and target not in seen:
                seen.add(target)
                waiting.append(target)
