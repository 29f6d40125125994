"""The reader of a whole system: every function of its parts, and what flows between them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeGuard

from parti.declare.dataflow.calls import free_of
from parti.declare.dataflow.expressions import evaluate
from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.heap import Heap
from parti.declare.dataflow.source import Node, Source
from parti.declare.dataflow.statements import execute
from parti.declare.dataflow.values import Origin, Origins, Value
from parti.declare.reading.lookup import MISSING, unwrapped
from parti.declare.reading.territory import Territory
from parti.design.dataflow import Blocking, Dataflow, Flow, Port, Slot, Use
from parti.design.endpoint import Endpoint
from parti.design.function import Function
from parti.design.graph import Arrow, Design, Opaque
from parti.design.handler import Handler
from parti.design.memory import Memory
from parti.design.monitor import Monitor
from parti.design.places import Place
from parti.design.schedule import Schedule
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.topic import Topic


class Reader:
    """Gathers what flows. `effort` counts the statements that were read for the present part."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = Source()
        self.flows: set[Flow] = set()
        self.uses: set[Use] = set()
        self.blocking: set[Blocking] = set()
        self.opaque: set[Opaque] = set()
        self.open: list[CodeType] = []
        self.nested: list[Node] = []
        self.effort = 0
        self.heap = Heap()
        self.said: set[tuple[Use, Origins]] = set()
        self.attempts: list[set[Origin]] = []
        self.leaving: dict[ast.stmt, bool] = {}
        self.raised: Origins = frozenset()
        self.constants: dict[ast.Constant, Value] = {}
        self._classes: dict[type, bool] = {}
        self._territory = Territory(root, "", "")

    def owns(self, function: object) -> TypeGuard[FunctionType]:
        """Whether it is a function of the app, to be followed."""
        return isinstance(function, FunctionType) and self._territory.owns_code(function.__code__, function.__globals__)

    def owns_class(self, cls: type) -> bool:
        """Whether it is a class of the app, whose attributes hold what the app stores there and nothing else."""
        if cls not in self._classes:
            self._classes[cls] = any(self.owns(one) for one in vars(cls).values())
        return self._classes[cls]

    def doubt(self, frame: Frame, why: str) -> None:
        """Note what could not be followed."""
        self.opaque.add(Opaque(frame.part, frame.place(), why))

    def run(self, frame: Frame, node: Node) -> Value:
        """Read a function; what it returns, or what a generator yields."""
        if isinstance(node, ast.Lambda):
            return evaluate(frame, node.body)
        execute(frame, node.body)
        if frame.yielded is not None:
            return Value(items=(frame.yielded,))
        return frame.result()

    def read(self, part: str, function: Function) -> None:
        """Read the function of a part, which is called with what lies at the part's own input."""
        real = function.call
        while unwrapped(real) is not MISSING:
            real = unwrapped(real)
        node = self.source.node_of(real.__code__) if isinstance(real, FunctionType) else None
        if node is None or not isinstance(real, FunctionType):
            self.opaque.add(Opaque(part, function.place, f"the source of `{function.name}` cannot be read"))
            return
        self._territory = Territory(self.root, "", real.__code__.co_filename)
        self.effort, self.open, self.nested, self.raised = 0, [real.__code__], [], frozenset()
        given = {one.name: self._given(part, one.name, one.payload.kind) for one in function.parameters}
        frame = Frame(
            self, part, real.__code__.co_filename, real.__globals__, given, blocks=function.is_async,
            line=function.place.line, free=free_of(real), site=self.heap.site_of(0, part),
        )  # fmt: skip
        frame.variables.update({name: frame.changing(value, name) for name, value in given.items()})
        frame.pour(self.run(frame, node), Slot(part, "out"), function.place)

    def _given(self, part: str, name: str, kind: Any) -> Value:
        return Value(origins=frozenset({Origin(Slot(part, "in", name))}), kind=kind)

    def finish(self) -> None:
        """Say of all that was read where it comes from."""
        self.flows = set(self.heap.resolved(self.flows))
        self.uses.update(replace(use, constant=not self.heap.holds(told)) for use, told in self.said)


def read_dataflow(design: Design, root: Path) -> Dataflow:
    """How data moves in all functions of the parts of `design`, whose app lies in `root`. Nothing is run. Raises nothing.

    Where an arrow of the design was not seen to be used, or a spot is opaque, all that the part is given may go everywhere.
    """
    reader = Reader(root)
    _read_all(design, reader)
    reader.finish()
    reader.flows.update(_unseen(design, reader))
    return Dataflow(
        tuple(sorted(reader.flows)),
        tuple(sorted(reader.uses, key=repr)),
        tuple(sorted(reader.blocking)),
        tuple(sorted({*reader.opaque, *design.opaque})),
    )


def _read_all(design: Design, reader: Reader) -> None:
    for part in design.parts:
        if isinstance(part, Handler | Schedule | Monitor | Step | Tool | Endpoint) and not getattr(part, "agent", ""):
            try:
                reader.read(part.name, part.function)
            except RecursionError:
                reader.opaque.add(Opaque(part.name, part.place, f"`{part.name}` is too deeply nested to be followed"))


def _unseen(design: Design, reader: Reader) -> Iterator[Flow]:
    seen = {(use.part, use.target) for use in reader.uses}
    lost = {spot.part for spot in (*design.opaque, *reader.opaque)}
    for part in design.parts:
        if not isinstance(part, Handler | Schedule | Monitor | Step | Tool | Endpoint):
            continue
        arrows = [arrow for arrow in design.arrows_from(part.name) if not _is_declared(part, arrow)]
        if part.name in lost or any((arrow.source, arrow.target) not in seen for arrow in arrows):
            yield from _everywhere(design, part.name, arrows, part.place)


def _is_declared(part: object, arrow: Arrow) -> bool:
    """Whether the arrow is no use in the function: what it listens to, what its result goes to, whom its approval asks."""
    if arrow.kind == "consumes" or (isinstance(part, Tool) and arrow.kind == "asks"):
        return True
    if isinstance(part, Endpoint) and part.agent:
        return True
    return isinstance(part, Handler) and arrow.kind == "publishes" and arrow.target == part.to


def _everywhere(design: Design, part: str, arrows: list[Arrow], place: Place) -> Iterator[Flow]:
    ports = {arrow.target: _ports(design, arrow.target) for arrow in arrows}
    sources = [Slot(part, "in"), *(Slot(name, out) for name, (_, out) in ports.items())]
    targets = [(Slot(part, "out"), place), *((Slot(a.target, ports[a.target][0]), a.place) for a in arrows)]
    for source in sources:
        yield from (Flow(source, target, at) for target, at in targets if target != source)


def _ports(design: Design, name: str) -> tuple[Port, Port]:
    stores = isinstance(design.by_name.get(name), Topic | Table | Memory)
    return ("data", "data") if stores else ("in", "out")
