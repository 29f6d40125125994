"""Concerns: which arguments of a call would carry which labels to where they may not go, and where they came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from parti.design.fields import fields_of
from parti.design.labelling import at_path
from parti.design.labels import NONE, Label, Labelled, Tags
from parti.design.tool import Tool
from parti.trust.taint import Taint
from parti.trust.trail import Trail


@dataclass(frozen=True, slots=True)
class Concern:
    """An argument ("" for all that is handed over), the labels that it may carry, and where it came from."""

    argument: str
    tags: Tags
    origin: str

    def as_json(self) -> dict[str, Any]:
        """As it is journaled."""
        return {"argument": self.argument, "labels": sorted(map(str, self.tags)), "from": self.origin}

    def in_words(self) -> str:
        """As a person is told."""
        what = f"`{self.argument}`" if self.argument else "it"
        return f"{what} may be {' and '.join(sorted(map(str, self.tags)))} ({self.origin})"


def of_run(taint: Taint, tags: Tags) -> Concern:
    """All of a call, which may carry what the run has read."""
    read = ", ".join(dict.fromkeys(f"`{taint.held[tag]}`" for tag in sorted(tags, key=str)))
    return Concern("", tags, f"the run has read {read}")


def of_arguments(tool: Tool, arguments: tuple[Any, ...], taint: Taint, tags: Tags, trail: Trail) -> list[Concern]:
    """Each argument that may carry labels, `tags` at most, that it is not cleared for. None: the call may be made.

    One that decides (`control=`) must be named by the task; what is said may carry what the tool and its type are cleared for.
    What cannot be traced carries all that the run has read.
    """
    found = []
    defaults = {one.name: one.default for one in tool.function.parameters if not one.required}
    typed = typed_labels(tool)
    for path, kind, value in _parts_of(tool, arguments):
        if path not in tool.control and path in defaults and value == defaults[path]:
            continue  # the program's own
        known = trail.trace(kind, value)
        carried = known.tags & tags if known else tags
        cleared = at_path(typed, path)
        if path not in tool.control:
            cleared |= frozenset(tool.clearance)
        left = carried - cleared
        if left:
            seen = trail.seen(kind, value)
            nowhere = "" if seen else f"its value was seen nowhere, and {of_run(taint, left).origin}"
            found.append(Concern(path, left, nowhere or f"seen in {seen}"))
    return found


def origins(tool: Tool, arguments: tuple[Any, ...], trail: Trail) -> dict[str, str]:
    """Where each argument was found, for the journal."""
    return {path: trail.seen(kind, value) for path, kind, value in _parts_of(tool, arguments)}


def _parts_of(tool: Tool, arguments: tuple[Any, ...]) -> Iterator[tuple[str, Any, Any]]:
    """Each control argument, and each parameter without those in it, with its type and value."""
    inner = [path for path in tool.control if "." in path]
    for parameter, value in zip(tool.function.parameters, arguments, strict=True):
        yield parameter.name, parameter.payload.kind, value
        for path in inner:
            first, *rest = path.split(".")
            if first == parameter.name:
                yield path, *_at(parameter.payload.kind, value, rest)


def _at(kind: Any, value: Any, names: list[str]) -> tuple[Any, Any]:
    for name in names:
        kind = fields_of(type(value)).get(name, Any)
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return kind, value


def typed_labels(tool: Tool) -> Labelled:
    """The labels that the types of a tool's arguments say, by path."""
    return tuple(
        (f"{one.name}.{path}" if path else one.name, tag)
        for one in tool.function.parameters
        for path, tag in one.payload.labels
    )


def conflicts(taint: Taint, uncleared: Tags, *, writes: bool = True) -> Tags:
    """The labels that were read and must not arrive; what is only read cannot be misled into an effect."""
    if not taint.held or not uncleared:
        return NONE
    carried = uncleared & taint.held.keys()
    return carried if writes else carried - {Label.UNTRUSTED}
