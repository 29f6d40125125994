"""What the design says of labels: what the flow through it expects where, and what is declared to be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from parti.design.agent import Agent
from parti.design.dataflow import Dataflow, Port, Slot
from parti.design.endpoint import Endpoint
from parti.design.fields import DEEPEST, fields_of, items_of
from parti.design.graph import Design, Part
from parti.design.guard import Guard
from parti.design.labelling import HELD
from parti.design.labels import Label, Labelled, Tags
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.payload import Payload
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.rules.flow.edges import edges_of
from parti.rules.flow.seeds import seeds_of, types_of
from parti.rules.flow.spreading import Spread, indexed

INTEGRITY: Final = (Label.TRUSTED, Label.UNTRUSTED)


@dataclass(slots=True)
class Flows:
    """The labels of a design, by slot."""

    design: Design
    spread: Spread

    @staticmethod
    def of(design: Design, dataflow: Dataflow) -> Flows:
        """Those of `design`, whose functions were read as `dataflow`."""
        return Flows(design, Spread(design, indexed(edges_of(design, dataflow)), seeds_of(design)))

    def tags(self, slot: Slot) -> Tags:
        """The labels that a field may carry, of those that are audited: what is held at run time, without regions."""
        return frozenset(tag for tag in self.spread.at(slot.part, slot.port, slot.path) if tag in HELD)

    def is_trusted(self, slot: Slot) -> bool:
        """Whether the field is declared to be trusted, by the declaration that is nearest to it."""
        said = [(path, tag) for path, tag in self._said(slot) if tag in INTEGRITY and _is_in(slot.path, path)]
        nearest = max((len(path) for path, _ in said), default=-1)
        tags = {tag for path, tag in said if len(path) == nearest}
        return Label.TRUSTED in tags and Label.UNTRUSTED not in tags

    def _said(self, slot: Slot) -> Labelled:
        part = self.design.by_name.get(slot.part)
        if slot.port == "in":
            return ()  # what a tool or an endpoint asks for is a demand, which gates see to, and no claim
        match part:
            case Topic() | Table():
                return part.payload.labels
            case Tool():
                return (*types_of(self.design, part), *(part.labels or ()))
            case ToolServer():
                return part.labels or ()
            case Endpoint() | Step():
                return part.function.returns.labels
            case Agent() | Model():
                return part.output.labels
        return ()

    def sinks(self, part: Part) -> Iterator[Slot]:
        """The fields of what a part stores or gives in which no stranger's words may stand."""
        port, payload = port_of(part), payload_of(part)
        if port and (payload is not None or isinstance(part, Memory | ToolServer)):
            for path in text_paths(payload.kind) if payload is not None else ("",):
                slot = Slot(part.name, port, path)
                if Label.UNTRUSTED not in self.tags(slot) or self.is_trusted(slot):
                    yield slot

    def sources(self, part: Part) -> Iterator[Slot]:
        """The fields of what comes in by a part, or lies in a topic, in which strangers may write; dead letters only copy them."""
        dead = any(one.dead_letters == part.name for one in self.design.all(Topic))
        for slot in () if dead else _incoming(part):
            if Label.UNTRUSTED in self.tags(slot):
                yield slot


def port_of(part: Part) -> Port | None:
    """Where what a part stores or gives is looked at; None where the flow says nothing of it.

    A step without labels of its own is read anew wherever it is called, so there is no one place for its answer.
    """
    match part:
        case Topic() | Table() | Memory():
            return "data"
        case Guard() | Tool() | Agent() | Endpoint() | ToolServer():
            return "out"
        case Step() if part.function.returns.labels:
            return "out"
        case Model() if part.output.labels:
            return "out"
    return None


def payload_of(part: Part) -> Payload | None:
    """The type of what a part stores or gives."""
    match part:
        case Topic() | Table():
            return part.payload
        case Step() | Tool() | Endpoint():
            return part.function.returns
        case Agent() | Model():
            return part.output
    return None


def _incoming(part: Part) -> Iterator[Slot]:
    match part:
        case Topic():
            yield from (Slot(part.name, "data", path) for path in text_paths(part.payload.kind))
        case Tool():
            yield from (Slot(part.name, "out", path) for path in text_paths(part.function.returns.kind))
        case ToolServer():
            yield Slot(part.name, "out")
        case Endpoint():
            for one in part.function.parameters:
                for path in text_paths(one.payload.kind):
                    yield Slot(part.name, "in", f"{one.name}.{path}" if path else one.name)


def text_paths(kind: Any) -> list[str]:
    """The paths at which a type holds text, ids among it; numbers, flags, enums and times are none."""
    return list(dict.fromkeys(_texts(kind, "", 0)))


def _texts(kind: Any, path: str, depth: int) -> Iterator[str]:
    kind = getattr(kind, "__supertype__", kind)
    if kind in (str, bytes, Any, object, dict, list):
        yield path
        return
    for inner in items_of(kind):
        yield from _texts(inner, path, depth)
    if depth < DEEPEST:
        for name, field in fields_of(kind).items():
            yield from _texts(field, f"{path}.{name}" if path else name, depth + 1)


def _is_in(path: str, whole: str) -> bool:
    return not whole or path == whole or path.startswith(f"{whole}.")
