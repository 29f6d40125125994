"""Clearing: which labels a part minds, which of them it is cleared for, and whether a design holds any while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlparse

from parti.design.agent import Agent
from parti.design.dataflow import Port
from parti.design.endpoint import Endpoint
from parti.design.fields import DEEPEST, fields_of, is_within, items_of
from parti.design.graph import Design, Part
from parti.design.guard import Guard
from parti.design.labels import NONE, Label, Labelled, Region, Tag, Tags
from parti.design.llm import LOCAL, Llm
from parti.design.model import Model
from parti.design.source import Source
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.rules.flow.seeds import types_of

_ANYWHERE: Final = frozenset({Label.UNTRUSTED, Label.PII, Label.PROTECTED, Label.SECRET})
"""Labels that any part minds; regions are those of language models alone, as `parti check` has it."""


def holds_labels(design: Design) -> bool:
    """Whether the labels of a design are held while it runs."""
    return design.holding == "run" or (design.holding == "auto" and is_declared(design))


def is_declared(design: Design) -> bool:
    """Whether a design says anything of labels: of any part, or of what all of its gates do."""
    return design.gate is not None or any(_says(design, part) for part in design.parts)


def _says(design: Design, part: Part) -> bool:
    match part:
        case Guard():
            return True
        case Topic() | Table():
            return bool(part.payload.labels)
        case Tool():
            typed = types_of(design, part) or given_labels(part)
            return bool(typed or part.clearance or part.control or part.gate) or part.labels is not None
        case Endpoint():
            typed = types_of(design, part) or part.function.returns.labels
            return bool(typed or part.clearance) or part.labels is not None
        case ToolServer():
            return bool(part.clearance) or part.labels is not None
        case Source():
            return part.labels is not None
        case Llm():
            return bool(part.clearance or part.gate)
        case Model():
            return bool(part.clearance or part.inputs.labels or part.output.labels)
        case Step():
            return bool(part.function.returns.labels)
        case Agent():
            return bool(part.output.labels)
    return False


def sink_of(part: Part) -> Port:
    """The port by which something leaves or happens."""
    return "data" if isinstance(part, Topic) else "out" if isinstance(part, Endpoint) else "in"


def minds(part: Part, tag: Tag) -> bool:
    """Whether the label is anything to the part, were it not cleared for it."""
    match part:
        case Tool():
            return tag in _ANYWHERE and (
                part.effect == "write" or (part.effect == "read" and tag is not Label.UNTRUSTED)
            )
        case ToolServer():
            return tag in _ANYWHERE
        case Llm():
            outside = is_outside(part) and not part.processor and tag is not Label.UNTRUSTED
            return outside or tag is Label.SECRET or (isinstance(tag, Region) and is_outside(part))
        case Endpoint():
            trusted = ("", Label.TRUSTED) in part.function.returns.labels
            return tag in _ANYWHERE and (tag is not Label.UNTRUSTED or trusted)
        case Topic():
            trusted = any(one is Label.TRUSTED for _, one in part.payload.labels)
            return tag is Label.SECRET or (tag is Label.UNTRUSTED and trusted)
    return False


def minded_of(tool: Tool) -> list[str]:
    """The arguments that strangers may not decide: of a tool that is cleared for their text, those that decide."""
    if Label.UNTRUSTED in tool.clearance:
        return list(tool.control)
    return [*tool.control, *(parameter.name for parameter in tool.function.parameters)]


def overlap(one: str, other: str) -> bool:
    """Whether one path is the other, or leads into or out of it."""
    short, long = sorted((one, other), key=len)
    return not short or long == short or long.startswith(f"{short}.")


def cleared_for(part: Part) -> Labelled:
    """What a part is cleared for, by path."""
    if isinstance(part, Llm):
        region: Tags = frozenset({Region(part.region)}) if part.region else NONE
        return tuple(("", tag) for tag in {*part.clearance, *region})
    if isinstance(part, Topic):
        return tuple(one for one in part.payload.labels if one[1] is not Label.TRUSTED)
    if isinstance(part, Endpoint):
        return (*(("", tag) for tag in part.clearance), *part.function.returns.labels)
    if isinstance(part, Tool):
        return (*(("", tag) for tag in part.clearance), *given_labels(part))
    return tuple(("", tag) for tag in part.clearance) if isinstance(part, ToolServer) else ()


def is_cleared(part: Part, tag: Tag, path: str) -> bool:
    """Whether the part is cleared for the label in every field at `path`: what is handed over there may be in any of them.

    For what strangers wrote, a tool is asked for the arguments that they may not decide alone.
    """
    if isinstance(part, Tool) and tag is Label.UNTRUSTED:
        said, minded = given_labels(part), minded_of(part)
        fields = [one for one in _fields_at(part, path) if any(overlap(one, mind) for mind in minded)]
    else:
        said, fields = cleared_for(part), _fields_at(part, path) or [path]
    return all(any(one == tag and is_within(field, known) for known, one in said) for field in fields)


def _fields_at(part: Part, path: str) -> list[str]:
    """The fields without fields of their own that are at the path, lie in it, or hold it."""
    found: list[str] = []
    match part:
        case Tool():
            for parameter in part.function.parameters:
                found += _ends(parameter.payload.kind, parameter.name, 0)
        case Endpoint():
            found += _ends(part.function.returns.kind, "", 0)
        case Topic():
            found += _ends(part.payload.kind, "", 0)
    return [one for one in dict.fromkeys(found) if overlap(one, path)]


def _ends(kind: Any, path: str, depth: int) -> Iterator[str]:
    """The paths at which a type holds something without fields, as `labels_of` counts them."""
    inner = [one for one in items_of(kind) if one is not type(None)]
    for one in inner:
        yield from _ends(one, path, depth)
    fields = fields_of(kind) if depth < DEEPEST else {}
    for name, field in fields.items():
        yield from _ends(field, f"{path}.{name}" if path else name, depth + 1)
    if not inner and not fields:
        yield path


def allows(labels: Labelled, tag: Tag, path: str) -> bool:
    """Whether a type says the label of the field `path`, of what it lies in or of anything that lies in it."""
    return any(one == tag and (is_within(known, path) or is_within(path, known)) for known, one in labels)


def given_labels(part: Tool) -> Labelled:
    """The labels that the types of a tool's arguments say."""
    return tuple(
        (f"{one.name}.{path}" if path else one.name, tag)
        for one in part.function.parameters
        for path, tag in one.payload.labels
    )


def is_outside(llm: Llm) -> bool:
    """Whether what the model is asked leaves this machine."""
    if llm.target == LOCAL:
        return False
    host = urlparse(llm.target).hostname if "://" in llm.target else ""
    return host not in ("localhost", "127.0.0.1", "::1")
