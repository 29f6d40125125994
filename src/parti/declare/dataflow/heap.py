"""Objects that change while the program runs: what they take in, and so where what is read from them comes from in the end.

An object is known by the place where it is made (allocation sites; Andersen, "Program Analysis and Specialization for the C
Programming Language", 1994), for each chain of calls by itself. What it takes in is there from the beginning and stays: nothing is
ever overwritten. So it does not matter in which order the program does things, or by which name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType
from typing import Any, Final

from parti.declare.dataflow.values import UNKNOWN, Bound, Cell, Closure, Named, Of, Origins, Used, Value, weaker
from parti.declare.handles import PartHandle
from parti.design.dataflow import Flow, Port, Slot
from parti.design.fields import DEEPEST
from parti.design.places import NOWHERE

_MARK: Final = "#"
_NAME: Final = "#="
_ROUNDS: Final = 20
_FIXED: Final = (bool, int, float, complex, str, bytes, type(None), Used, Bound, Closure, Named, Of, PartHandle)
_SHARED: Final = (FunctionType, ModuleType, type)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is read of a slot of an object: `suffix` is the field in which it arrives."""

    slot: Slot
    manner: Any
    exact: bool
    unseen: bool
    suffix: str = ""


class Heap:
    """The objects of a program, and what they take in. `born` says what chose that each was made."""

    def __init__(self) -> None:
        self._names: dict[object, str] = {}
        self._kept: dict[int, object] = {}
        self._known: dict[_Asked, tuple[_Asked, ...]] = {}
        self._into: dict[tuple[str, str], set[Flow]] = defaultdict(set)
        self.born: dict[str, Origins] = {}
        self._through: set[tuple[frozenset[Slot], Origins]] = set()

    def cell_of(self, key: object, *, lasts: bool = False) -> Cell:
        """The object of a place, or of a name that outlives the run."""
        return Cell(self._names.setdefault(key, f"{_MARK}{len(self._names)}"), lasts)

    def cell_of_global(self, names: Mapping[str, Any], name: str) -> Cell:
        """What a name of a module stands for. The name itself takes nothing in but other objects."""
        return Cell(_NAME + self.cell_of((id(names), name)).name, unseen=True)

    def site_of(self, site: int, call: object) -> int:
        """A number for a call made in the call `site`."""
        return int(self.cell_of((site, "site", call)).name[1:])

    def lasting(self, thing: Any) -> list[Cell]:
        """The object itself, where it is there before the program runs and can change."""
        if thing is UNKNOWN or isinstance(thing, _FIXED):
            return []
        self._kept[id(thing)] = thing
        return [self.cell_of(("thing", id(thing)), lasts=True)]

    def known(self, thing: Any, origins: Origins) -> Value:
        """A global or default; what is stored in a function, class or module is asked for by name."""
        cells = frozenset(self.lasting(thing)) if not isinstance(thing, _SHARED) else frozenset()
        return Value(thing, origins, cells=cells)

    def through(self, slots: Iterable[Slot], more: Origins) -> None:
        """What lies in these slots of objects takes something in."""
        self._through.add((frozenset(slots), more))

    def resolved(self, flows: Iterable[Flow]) -> Iterator[Flow]:
        """The flows between parts, of which those by way of objects begin where what they hold comes from."""
        outside = []
        for flow in flows:
            if is_cell(flow.target):
                self._into[flow.target.part, flow.target.port].add(flow)
            else:
                outside.append(flow)
        self._pass_through()
        for flow in outside:
            if not is_cell(flow.source):
                yield flow
                continue
            for found in self._sources(_Asked(flow.source, flow.manner, flow.exact, flow.unseen)):
                path = ".".join(name for name in (flow.target.path, found.suffix) if name)
                target = Slot(flow.target.part, flow.target.port, _cut(path))
                exact = found.exact and found.manner == "value"
                yield Flow(found.slot, target, flow.place, found.manner, exact, found.unseen)

    def holds(self, origins: Origins) -> bool:
        """Whether anything of a part comes from there; asked once all is read."""
        return any(
            not is_cell(one.slot) or self._sources(_Asked(one.slot, one.manner, one.exact, one.unseen))
            for one in origins
        )

    def _pass_through(self) -> None:
        """What is changed by way of an object that holds it, changes under all of its names."""
        waiting, rounds = self._through, 0
        while rounds < _ROUNDS:
            rounds, before = rounds + 1, sum(map(len, self._into.values()))
            for slots, more in waiting:
                for slot in (one for one in self._behind(slots) if not one.part.startswith(_NAME)):
                    for one in more:
                        port: Port = "data" if slot.port == "in" else slot.port
                        target = Slot(slot.part, port, slot.path)
                        self._into[slot.part, port].add(Flow(one.slot, target, NOWHERE, one.manner, False, one.unseen))
            if sum(map(len, self._into.values())) == before:
                return

    def _at(self, slot: Slot) -> Iterable[Flow]:
        """What lies in an object by name, as items, or both."""
        ports = ("data", "out") if slot.port == "in" else (slot.port,)
        return [flow for port in ports for flow in self._into.get((slot.part, port), ())]

    def _behind(self, slots: Iterable[Slot]) -> set[Slot]:
        seen, waiting = set(slots), list(slots)
        while waiting:
            at = waiting.pop()
            for flow in self._at(at):
                stored = flow.source
                if (
                    is_cell(stored)
                    and flow.manner == "value"
                    and stored not in seen
                    and _meet(flow.target.path, at.path)
                ):
                    seen.add(stored)
                    waiting.append(stored)
        return seen

    def _sources(self, asked: _Asked) -> tuple[_Asked, ...]:
        """All slots of parts that what is asked for comes from."""
        if asked not in self._known:
            seen, waiting = {asked}, [asked]
            found: list[_Asked] = []
            while waiting:
                at = waiting.pop()
                for one in (_before(flow, at) for flow in self._at(at.slot)):
                    if one is not None and one not in seen:
                        seen.add(one)
                        (waiting if is_cell(one.slot) else found).append(one)
            self._known[asked] = tuple(found)
        return self._known[asked]


def is_cell(slot: Slot) -> bool:
    """Whether the slot is that of an object, and of no part."""
    return slot.part.startswith(_MARK)


def _before(flow: Flow, asked: _Asked) -> _Asked | None:
    """Where what is asked for comes from, if the flow brings it."""
    stored, wanted = flow.target.path, asked.slot.path
    if not _meet(stored, wanted):
        return None
    manner, unseen = weaker(flow.manner, asked.manner), flow.unseen or asked.unseen
    exact, source, suffix = flow.exact and asked.exact, flow.source, asked.suffix
    if len(stored) > len(wanted) and asked.exact:
        suffix = _cut(".".join(name for name in (suffix, stored[len(wanted) :].lstrip(".")) if name))
    elif len(wanted) > len(stored) and flow.exact:
        rest = wanted[len(stored) :].lstrip(".")
        path = ".".join(name for name in (source.path, rest) if name)
        source, exact = replace(source, path=_cut(path)), exact and _cut(path) == path
    return _Asked(source, manner, exact, unseen, suffix if asked.exact else "")


def _meet(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return not short or long == short or long.startswith(f"{short}.")


def _cut(path: str) -> str:
    return ".".join(path.split(".")[:DEEPEST])
