"""A frame: one function being read, with its variables, the conditions around the present line, and what was found."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from parti.declare.dataflow.values import PLAIN, UNKNOWN, Origins, Value, either, mixed, unseen, weakened, with_origins
from parti.declare.types import short_path
from parti.design.dataflow import Flow, Slot
from parti.design.places import Place

if TYPE_CHECKING:
    from parti.declare.dataflow.reader import Reader


@dataclass(slots=True)
class Frame:
    """One function. `blocks` says that the event loop waits for it; `depth` how many calls deep it is."""

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
    conditions: Origins = frozenset()
    branches: int = 0
    result: Value | None = None
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
                return Value(frame.free[name])
            frame = frame.outer
        if name in self.names:
            thing = self.names[name]
            held = self.reader.held.get((id(self.names), name), frozenset()) | self.reader.held.get(
                id(thing), frozenset()
            )
            return Value(thing, unseen(held))
        return Value(getattr(builtins, name)) if hasattr(builtins, name) else PLAIN

    def save(self, name: str, value: Value) -> None:
        """Store in a variable. In a branch or loop, what was there before may still be there."""
        found = with_origins(value, self.conditions)
        if name in self.globals:
            self.reader.hold((id(self.names), name), found.all)
            return
        if name in self.outside and self.outer is not None:
            self.outer.take_in(name, found)
            return
        if self.branches and name in self.variables:
            found = either(self.variables[name], found)
        self.variables[name] = found

    def take_in(self, name: str, more: Value) -> None:
        """What the variable or global `name` holds takes something in."""
        old = self.load(name)
        if name in self.variables:
            kept = with_origins(more, self.conditions)
            self.variables[name] = Value(old.thing, mixed([old, kept]).origins, kind=old.kind)
        elif self.outer is not None:
            self.outer.take_in(name, more)
        elif old.thing is not UNKNOWN:
            self.reader.hold(id(old.thing), mixed([more]).origins)

    def give(self, value: Value) -> None:
        """Return `value` from the function."""
        found = with_origins(value, self.conditions)
        self.result = found if self.result is None else either(self.result, found)

    def decide(self, test: Value) -> None:
        """What follows happens only if `test` says so."""
        self.conditions |= weakened(test.all, "condition")

    def pour(self, value: Value, target: Slot, place: Place) -> None:
        """`value` goes to `target`, field by field."""
        for name, inner in (value.fields or {}).items():
            self._pour(inner, Slot(target.part, target.port, f"{target.path}.{name}" if target.path else name), place)
        for inner in value.items or ():
            self._pour(inner, target, place)
        self._pour(Value(origins=value.origins | self.conditions), target, place)

    def _pour(self, value: Value, target: Slot, place: Place) -> None:
        if value.fields or value.items:
            self.pour(value, target, place)
        for o in value.origins:
            self.reader.flows.add(Flow(o.slot, target, place, o.manner, o.exact and o.manner == "value", o.unseen))
