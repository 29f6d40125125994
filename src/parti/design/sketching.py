"""Sketching: what counts of each part when two versions of a design are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from hashlib import blake2b
from typing import Any, Final

from parti.design.agent import Agent, session_table
from parti.design.endpoint import Endpoint
from parti.design.function import Function, schema_of
from parti.design.graph import Design, Part
from parti.design.handler import Handler
from parti.design.payload import Payload
from parti.design.schedule import Schedule
from parti.design.sketch import PartSketch, Sketch
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.topic import Topic

CodeOf = Callable[[Callable[..., Any]], str]
"""Names all of the app's own code that a function leads to; "" where some of it cannot be told."""

LEFT_OUT: Final = frozenset({"name", "place", "train", "evaluate", "digest", "expose"})


def sketch_of(design: Design, code_of: CodeOf) -> Sketch:
    """The design as plain values."""
    parts = {part.name: _part(part, design, code_of) for part in design.parts}
    led = [part.name for part in design.parts if isinstance(part, Handler | Endpoint | Schedule | Agent)]
    uses = {name: _uses(design, name) for name in led}
    unseen = {name for name in led if any(spot.part in uses[name] for spot in design.opaque)}
    return Sketch(design.name, design.digest, parts, uses, frozenset(unseen), _whole(design), design.place)


def _whole(design: Design) -> dict[str, Any]:
    """What counts of the system itself. Who is responsible is asked at gates, where no other is declared."""
    gate = design.gate or (f"ask {design.responsible}" if design.responsible else None)
    return {"name": design.name, "labels": design.holding, "gate": gate if gate is None else str(gate)}


def _uses(design: Design, runner: str) -> frozenset[str]:
    reached = design.reach(runner)
    targets = {arrow.target for name in reached for arrow in design.arrows_from(name)}
    agents = [part for name in reached if isinstance(part := design.by_name.get(name), Agent)]
    return frozenset(reached | targets | {session_table(agent) for agent in agents if agent.sessions})


def _part(part: Part, design: Design, code_of: CodeOf) -> PartSketch:
    facts = {field.name: _plain(getattr(part, field.name)) for field in fields(part) if field.name not in LEFT_OUT}
    function = getattr(part, "function", None)
    if isinstance(part, Topic | Table):
        facts["upcast"] = code_of(part.upcast) or "?" if part.upcast is not None else ""
    if isinstance(part, Tool):
        when = part.approval.when if part.approval is not None else None
        facts |= {"reconcile": part.reconcile is not None, "asked_when": (code_of(when) or "?") if when else ""}
    if isinstance(part, Endpoint):
        facts["requests"] = {"schema": schema_of(part.function)}
    if isinstance(part, Agent):
        facts["tools_shown"] = {name: _shown(design.by_name.get(name)) for name in part.tools}
    code = code_of(function.call) if isinstance(function, Function) else ""
    return PartSketch(type(part).__name__.lower(), part.name, part.place, facts, code)


def _shown(tool: Part | None) -> str:
    """What a language model is shown of a tool, and how it is spoken of: a digest."""
    facts: list[object] = [type(tool).__name__, getattr(tool, "about", "")]
    if isinstance(tool, Step | Tool):
        facts += [schema_of(tool.function), tool.function.returns.schema]
    elif tool is not None and not isinstance(tool, Agent):
        facts.append(repr(tool))
    return _digest(repr(facts))


def _plain(value: Any) -> Any:
    """A value of a part as JSON; what JSON does not have becomes its text, the same in every process."""
    match value:
        case Payload():
            labels = {"labels": sorted(f"{path} {tag}".strip() for path, tag in value.labels)} if value.labels else {}
            return {"name": value.name, "digest": value.digest, "schema": dict(value.schema), **labels}
        case Function():
            return {
                "arguments": _plain(value.arguments),
                "returns": _plain(value.returns),
                "parameters": [parameter.name for parameter in value.parameters],
            }
        case str() if len(value) > 200:
            return f"{value[:80]}… ({_digest(value)})"
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return _digest(value.hex())
        case tuple() | list():
            return [_plain(item) for item in value]
        case set() | frozenset():
            return sorted(str(item) for item in value)
        case dict():
            return {str(name): _plain(item) for name, item in value.items()}
    return repr(value) if not callable(value) else "a function"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
