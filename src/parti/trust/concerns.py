"""Concerns: which arguments of a call would carry which labels to where they may not go, and where they came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from parti.design.fields import is_within
from parti.design.labelling import cleared_at
from parti.design.labels import NONE, Label, Labelled, Tags
from parti.design.tool import Tool
from parti.trust.leaves import Leaf, is_left_out, leaves
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

    One that decides (`control=`) must be named by the task, or left out as the function declares it; what is said may carry what
    the tool and its type are cleared for. What cannot be traced carries all that the run has read.
    """
    found = []
    typed = typed_labels(tool)
    for path, there, absent in _parts_of(tool, arguments):
        spoken = NONE if path in tool.control else frozenset(tool.clearance)
        left = tags - cleared_at(typed, path) if absent else NONE
        for leaf in there:
            if not leaf.text and path not in tool.control:
                continue
            known = trail.trace_leaf(leaf)
            carried = known.tags & tags if known else tags
            left |= carried - spoken - cleared_at(typed, leaf.path if leaf.typed is None else leaf.typed)
        if left:
            seen = trail.seen_leaves(there)
            nowhere = "" if seen else f"its value was seen nowhere, and {of_run(taint, left).origin}"
            found.append(Concern(path, left, nowhere or f"seen in {seen}"))
    return found


def origins(tool: Tool, arguments: tuple[Any, ...], trail: Trail) -> dict[str, str]:
    """Where each argument was found, for the journal."""
    return {path: trail.seen_leaves(there) for path, there, _ in _parts_of(tool, arguments)}


def _parts_of(tool: Tool, arguments: tuple[Any, ...]) -> Iterator[tuple[str, list[Leaf], bool]]:
    """Each parameter, and each control argument inside of one, with the leaves there, and whether it decides by being left out.

    What a parameter is by default is the program's own, but for what decides.
    """
    for parameter, value in zip(tool.function.parameters, arguments, strict=True):
        name, kind = parameter.name, parameter.payload.kind
        decides = [path for path in tool.control if is_within(path, name)]
        is_default = not parameter.required and value == parameter.default
        every = [leaf.below(name) for leaf in leaves(kind, value)]
        for path in decides:
            inside = [leaf for leaf in every if is_within(leaf.path, path) or is_within(leaf.typed or "", path)]
            absent = is_left_out(value, path.split(".")[1:]) or (path == name and not inside)
            yield path, inside, absent and not is_default
        if name not in decides:
            beside = [leaf for leaf in every if not any(is_within(leaf.path, path) for path in decides)]
            yield name, [] if is_default else beside, False


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
