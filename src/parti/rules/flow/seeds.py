"""Where labels come in: the types say so, the declarations say so, or nobody does and a stranger may have written it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from parti.design.agent import Agent
from parti.design.dataflow import Port, Slot
from parti.design.endpoint import Endpoint
from parti.design.fields import DEEPEST, fields_of, free_texts, is_within, records_in
from parti.design.graph import Design, Part
from parti.design.labels import Label, Labelled, Tag
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.source import Source
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic

INTEGRITY: Final = frozenset({Label.TRUSTED, Label.UNTRUSTED})

Seed = tuple[Slot, Tag]
Outside = Source | Endpoint | Tool | ToolServer
"""Parts by which data comes in from outside."""


def seeds_of(design: Design) -> list[Seed]:
    """Each label where it comes in, in a fixed order. TRUSTED is none: it only says that UNTRUSTED does not come in."""
    found = {seed for part in design.parts for seed in _of(design, part) if seed[1] is not Label.TRUSTED}
    return sorted(found, key=lambda seed: (seed[0], str(seed[1])))


def types_of(design: Design, part: Outside) -> Labelled:
    """The labels that the types say of what comes in by a part."""
    if isinstance(part, Source):
        return design.get(Topic, part.topic).payload.labels
    if isinstance(part, Tool):
        return part.function.returns.labels
    if isinstance(part, ToolServer):
        return ()
    return tuple(
        (f"{one.name}.{path}" if path else one.name, tag)
        for one in part.function.parameters
        for path, tag in one.payload.labels
    )


def unsaid_in(design: Design, part: Outside) -> list[str]:
    """The largest fields of what comes in by a part of which nobody said how far they can be believed; "" is all of it."""
    marked = [path for path, tag in said_of(design, part) if tag in INTEGRITY]
    if not marked:
        return [""]
    if isinstance(part, Endpoint):
        given = [(one.name, one.payload.kind) for one in part.function.parameters]
        return [path for name, kind in given for path in _beside(marked, name, kind, 0)]
    if isinstance(part, Source):
        return list(_beside(marked, "", design.get(Topic, part.topic).payload.kind, 0))
    return list(_beside(marked, "", part.function.returns.kind, 0)) if isinstance(part, Tool) else []


def is_said(design: Design, part: Outside) -> bool:
    """Whether somebody said how far anything that comes in by it can be believed."""
    return any(tag in INTEGRITY for _, tag in said_of(design, part))


def said_of(design: Design, part: Outside) -> Labelled:
    """All labels of what comes in by a part: those of its types, and those of its declaration."""
    return (*types_of(design, part), *(part.labels or ()))


def is_outside(part: Part) -> bool:
    """Whether all that comes in by the part is from outside. Of other tools, only text is that their types do not bound."""
    return isinstance(part, Source | Endpoint | ToolServer) or (isinstance(part, Tool) and part.effect == "read")


def _of(design: Design, part: Part) -> Iterator[Seed]:
    match part:
        case Topic() | Table():
            yield from _at(part.name, "data", part.payload.labels)
        case Source() | Tool() | ToolServer() | Endpoint():
            port: Port = "in" if isinstance(part, Endpoint) else "out"
            yield from _at(part.name, port, said_of(design, part))
            for path in _unsaid(design, part):
                yield Slot(part.name, port, path), Label.UNTRUSTED
        case Model():
            yield from _at(part.name, "out", part.output.labels)
        case Step():
            yield from _at(part.name, "out", part.function.returns.labels)
        case Llm():
            yield Slot(part.name, "out"), Label.GENERATED
        case Agent():
            yield Slot(part.name, "in"), Label.GENERATED
            yield from _at(part.name, "out", part.output.labels)


def _unsaid(design: Design, part: Outside) -> Iterator[str]:
    """The fields from outside that nobody said to be trusted: each for itself, whatever is said of the others."""
    unsaid = unsaid_in(design, part)
    if isinstance(part, Tool) and not is_outside(part):
        texts = free_texts(part.function.returns.kind)
        yield from (path for path in texts if any(is_within(path, one) for one in unsaid))
    else:
        yield from unsaid


def _beside(marked: list[str], path: str, kind: Any, depth: int) -> Iterator[str]:
    """The largest fields of which nothing is said."""
    if any(is_within(path, one) for one in marked):
        return
    if not any(is_within(one, path) for one in marked) or depth > DEEPEST:
        yield path
        return
    for name, field in ((name, field) for record in records_in(kind) for name, field in fields_of(record).items()):
        yield from _beside(marked, f"{path}.{name}" if path else name, field, depth + 1)


def _at(part: str, port: str, labels: Labelled) -> Iterator[Seed]:
    for path, tag in labels:
        yield Slot(part, port, path), tag  # type: ignore[arg-type]
