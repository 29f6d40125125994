"""Where labels come in: the types say so, the declarations say so, or nobody does and a stranger may have written it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from parti.design.agent import Agent
from parti.design.dataflow import Slot
from parti.design.endpoint import Endpoint
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


def is_labelled(part: Tool | ToolServer) -> bool:
    """Whether somebody said how far its answer can be believed."""
    typed = part.function.returns.labels if isinstance(part, Tool) else ()
    return part.labels is not None or any(tag in INTEGRITY for _, tag in typed)


def is_said(design: Design, part: Outside) -> bool:
    """Whether somebody said how far what comes in by it can be believed."""
    return part.labels is not None or any(tag in INTEGRITY for _, tag in types_of(design, part))


def is_outside(part: Part) -> bool:
    """Whether what comes in by the part is from outside; a tool that only writes echoes what it is given."""
    return isinstance(part, Source | Endpoint | ToolServer) or (isinstance(part, Tool) and part.effect == "read")


def _of(design: Design, part: Part) -> Iterator[Seed]:
    match part:
        case Topic() | Table():
            yield from _at(part.name, "data", part.payload.labels)
        case Source() | Tool() | ToolServer() | Endpoint():
            port = "in" if isinstance(part, Endpoint) else "out"
            yield from _at(part.name, port, (*types_of(design, part), *(part.labels or ())))
            if is_outside(part) and not is_said(design, part):
                yield Slot(part.name, port), Label.UNTRUSTED  # type: ignore[arg-type]
        case Model():
            yield from _at(part.name, "out", part.output.labels)
        case Step():
            yield from _at(part.name, "out", part.function.returns.labels)
        case Llm():
            yield Slot(part.name, "out"), Label.GENERATED
        case Agent():
            yield Slot(part.name, "in"), Label.GENERATED
            yield from _at(part.name, "out", part.output.labels)


def _at(part: str, port: str, labels: Labelled) -> Iterator[Seed]:
    for path, tag in labels:
        yield Slot(part, port, path), tag  # type: ignore[arg-type]
