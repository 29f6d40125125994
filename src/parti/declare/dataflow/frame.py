"""A frame: one function being read, with its variables, the conditions around the present line, and what was found."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from parti.declare.dataflow.heap import is_cell
from parti.declare.dataflow.values import (
    PLAIN,
    Cell,
    Origin,
    Origins,
    Value,
    either,
    is_fixed,
    mixed,
    replaced,
    unseen,
    weakened,
    with_origins,
)
from parti.declare.types import short_path
from parti.design.dataflow import Flow, Slot
from parti.design.places import Place

if TYPE_CHECKING:
    from parti.declare.dataflow.reader import Reader


@dataclass(slots=True)
class Frame:
    """One function. `blocks` says that the event loop waits for it; `depth` how many calls deep it is.

    `conditions` decide whether the present line is reached; `choices` are those of branches and loops around it, which choose
    what is kept there (`around` those of the callers), `left` of branches in which the function may have been left before. `catching` are the names of the errors caught around it. `site` tells one call of a function from
    another, so that what it makes is.
    """

    reader: Reader
    part: str
    file: str
    names: Mapping[str, Any]
    variables: dict[str, Value]
    outer: Frame | None = None
    blocks: bool = False
    depth: int = 0
    loop: Literal["", "for", "while"] = ""
    caught: bool = False
    catching: tuple[str, ...] = ()
    conditions: Origins = frozenset()
    choices: Origins = frozenset()
    around: Origins = frozenset()
    left: Origins = frozenset()
    site: int = 0
    branches: int = 0
    somethings: int = 0
    results: list[tuple[Value, Origins]] = field(default_factory=list)
    yielded: Value | None = None
    line: int = 0
    free: Mapping[str, Any] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)

    def place(self, node: ast.AST | None = None) -> Place:
        """Where `node` stands, or the line being read."""
        return Place(short_path(self.file, self.reader.root), getattr(node, "lineno", self.line))

    def load(self, name: str) -> Value:
        """A variable, here or in the functions around, or a name of the module."""
        frame: Frame | None = self
        while frame is not None:
            if name in frame.variables:
                return frame.variables[name]
            if name in frame.free:
                return self.reader.heap.known(frame.free[name], frozenset())
            frame = frame.outer
        if name in self.names:
            return self.reader.heap.known(self.names[name], unseen(frozenset(self._global(name).inside)))
        return Value(getattr(builtins, name)) if hasattr(builtins, name) else PLAIN

    def _global(self, name: str) -> Cell:
        return self.reader.heap.cell_of_global(self.names, name)

    def cell(self, node: object) -> Cell:
        """The object that `node` makes here."""
        found = self.reader.heap.cell_of((self.site, node))
        self.reader.heap.born.setdefault(found.name, self.choices)
        return found

    def changing(self, value: Value, node: object) -> Value:
        """The value as that of an object that may change, made by `node`."""
        if is_fixed(value.kind):
            return value
        return replaced(value, cells=value.cells | {self.cell(node)})

    def save(self, name: str, value: Value) -> None:
        """Store in a variable. Where the program may leave at any line, what was there before may still be there."""
        if name in self.globals:
            self.store([self._global(name)], with_origins(value, self.conditions))
        elif name in self.outside and self.outer is not None:
            self.outer.take_in(name, with_origins(value, self.conditions | self.choices))
        elif self.branches and name in self.variables:
            self.variables[name] = replaced(either(self.variables[name], value))
        else:
            self.variables[name] = value

    def take_in(self, name: str, more: Value) -> None:
        """A variable of a function around takes something in."""
        if name in self.variables:
            self.variables[name] = either(self.variables[name], more)
        elif self.outer is not None:
            self.outer.take_in(name, more)

    def attempt(self, values: Iterable[Value]) -> None:
        """What is done with these may fail, and the error may repeat them to whoever catches it."""
        if self.reader.attempts:
            self.reader.attempts[-1].update(mixed(values).origins)

    def change(self, value: Value, more: Value, name: str | None = None, *, item: bool = False) -> None:
        """The object `value` takes something in: under a name, as an item, or somewhere."""
        if is_fixed(value.kind):
            return
        more = with_origins(more, self.conditions)
        self.store([*value.cells, *self.reader.heap.lasting(value.thing)], more, name, item=item)
        slots = {one.slot for one in value.origins if is_cell(one.slot)}
        if slots:
            self.reader.heap.through(slots, mixed([more]).origins | self.choices)

    def call_site(self, node: object) -> int:
        """Tells the call that `node` makes here from all others."""
        return self.reader.heap.site_of(self.site, node)

    def store(self, cells: Iterable[Cell], more: Value, name: str | None = None, *, item: bool = False) -> None:
        """Note what objects take in. What chose that they were made does not choose what is in them."""
        for cell in cells:
            kept = with_origins(more, self.choices - self.reader.heap.born.get(cell.name, frozenset()))
            if name is not None:
                self.pour(kept, Slot(cell.name, "data", name), self.place())
            elif item:
                self.pour(kept, Slot(cell.name, "out"), self.place())
            else:
                self.pour(mixed([kept]), Slot(cell.name, "data"), self.place())

    def give(self, value: Value, *, nothing: bool = False) -> None:
        """Return `value` from the function. Whether there is something at all is no choice of what."""
        chosen = frozenset[Origin]() if nothing else (self.choices - self.around) | self.left
        self.results.append((with_origins(value, self.conditions), chosen))
        self.somethings += not nothing

    def result(self) -> Value:
        """What the function returns; where it may return several things, something chooses."""
        found = PLAIN
        for value, chosen in self.results:
            found = either(found, with_origins(value, chosen) if self.somethings > 1 else value)
        return found

    def decide(self, test: Value) -> None:
        """What follows happens only if `test` says so."""
        self.conditions |= weakened(test.all, "condition")

    def pour(self, value: Value, target: Slot, place: Place) -> None:
        """`value` goes to `target`, field by field."""
        for name, inner in (value.fields or {}).items():
            self._pour(inner, Slot(target.part, target.port, f"{target.path}.{name}" if target.path else name), place)
        for inner in value.items or ():
            self._pour(inner, target, place)
        kept = value.origins.union(*(cell.inside for cell in value.cells))
        self._pour(Value(origins=kept | self.conditions), target, place)

    def _pour(self, value: Value, target: Slot, place: Place) -> None:
        if value.fields or value.items or value.cells:
            self.pour(value, target, place)
        for o in value.origins:
            self.reader.flows.add(Flow(o.slot, target, place, o.manner, o.exact and o.manner == "value", o.unseen))
