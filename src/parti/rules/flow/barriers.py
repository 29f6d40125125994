"""Barriers of a design: each gate that somebody declared, where labels are held and every use of its part passes it.

What is done where nobody declared a gate (a refusal, or a question to who is responsible) keeps harm away as well; but then the
program asks for what it will not get, and `parti check` says so before it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from parti.design.dataflow import Dataflow
from parti.design.endpoint import Endpoint
from parti.design.fields import fields_of, is_within
from parti.design.gate import Gate
from parti.design.graph import Design, Part
from parti.design.labelling import HELD
from parti.design.labels import NONE, Label, Region, Tags
from parti.design.llm import Llm
from parti.design.monitor import Monitor
from parti.design.source import Source
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.rules.flow.barrier import Barrier
from parti.rules.flow.clearing import (
    allows,
    cleared_for,
    given_labels,
    holds_labels,
    minded_of,
    minds,
    overlap,
    sink_of,
)
from parti.rules.flow.edges import Edge
from parti.rules.flow.seeds import seeds_of

MASKED: Final[Tags] = frozenset({Label.PII, Label.SECRET})
"""What a gate that masks takes away. A stranger's words are a stranger's under any mask."""

Barriers = Mapping[str, Barrier]


def gates_of(design: Design) -> dict[str, Gate]:
    """The gate of each part by which something leaves or happens, where one is declared for it or for all."""
    found: dict[str, Gate] = {}
    for part in design.parts:
        gate = own_gate(part) or design.gate
        if gate is not None and isinstance(part, Tool | ToolServer | Llm | Endpoint | Topic):
            found[part.name] = gate
    return found


def own_gate(part: Part) -> Gate | None:
    """The gate that is declared for the part itself."""
    gate: Gate | None = getattr(part, "gate", None)
    return gate


def barriers_of(design: Design, dataflow: Dataflow) -> dict[str, Barrier]:
    """The barrier of each part that has one; none where labels are not held."""
    if not holds_labels(design):
        return {}
    regions = frozenset(tag for _, tag in seeds_of(design) if isinstance(tag, Region))
    passed_by = _used_outside_of_runs(design) | set(_streaming(design, dataflow))
    made = ((name, _made(design.by_name[name], gate, regions)) for name, gate in gates_of(design).items())
    return {name: barrier for name, barrier in made if barrier.stops and name not in passed_by}


def behind(edges: Iterable[Edge], design: Design, barriers: Barriers) -> list[Edge]:
    """The edges, of which those that lead into a part by its gate have its barrier."""
    return [
        replace(edge, barrier=barriers[edge.target.part]) if _is_gated(edge, design, barriers) else edge
        for edge in edges
    ]


def _is_gated(edge: Edge, design: Design, barriers: Barriers) -> bool:
    """No gate is asked about what a source brings, about dead letters, or where another model stands in for one."""
    part, other = design.by_name.get(edge.target.part), design.by_name.get(edge.source.part)
    if edge.target.part not in barriers or part is None or edge.target.port != sink_of(part):
        return False
    if isinstance(part, Topic):
        return not isinstance(other, Source | Topic)
    return not (isinstance(part, Llm) and isinstance(other, Llm))


def _used_outside_of_runs(design: Design) -> set[str]:
    """Parts that something uses that has no journal, and so no gates; and such endpoints themselves."""
    found: set[str] = set()
    for part in design.parts:
        if isinstance(part, Monitor | Source) or (isinstance(part, Endpoint) and not part.durable):
            reached = design.reach(part.name)
            found |= reached | {arrow.target for arrow in design.arrows if arrow.source in reached}
    return found


def _streaming(design: Design, dataflow: Dataflow) -> Iterator[str]:
    """Endpoints whose answer may have left, piece by piece, before it comes to a gate."""
    streams = {use.part for use in dataflow.uses if use.method == "stream"}
    for endpoint in design.all(Endpoint):
        if endpoint.agent or endpoint.expose or streams & design.reach(endpoint.name):
            yield endpoint.name


def _made(part: Part, gate: Gate, regions: Tags) -> Barrier:
    stops = frozenset(tag for tag in _stopped(gate, regions) if minds(part, tag))
    return Barrier(_text(part, gate), stops, cleared_for(part), *_strangers(part))


def _strangers(part: Part) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The arguments of a tool that strangers may not decide, and the fields beside them."""
    if not isinstance(part, Tool):
        return None, ()
    said = given_labels(part)
    decides = tuple(dict.fromkeys(path for path in minded_of(part) if not allows(said, Label.UNTRUSTED, path)))
    beside = (_beside(decides, one.name, one.payload.kind) for one in part.function.parameters)
    return decides, tuple(path for paths in beside for path in paths)


def _beside(decides: tuple[str, ...], path: str, kind: Any) -> Iterator[str]:
    """The largest fields without anything that decides; a value whose fields cannot be told is one."""
    if any(is_within(path, one) for one in decides):
        return
    inner = fields_of(kind) if any(overlap(one, path) for one in decides) else {}
    if not inner:
        yield path
    for name, field in inner.items():
        yield from _beside(decides, f"{path}.{name}", field)


def _stopped(gate: Gate, regions: Tags) -> Tags:
    """What does not get past the gate, or only with a person's yes. No yes takes a secret or a region away."""
    does: str = gate.then
    if does == "refuse":
        return HELD | regions
    if does == "ask":
        return frozenset(tag for tag in HELD if tag is not Label.SECRET)
    return MASKED if does == "mask" else NONE


def _text(part: Part, gate: Gate) -> str:
    whose = f"the gate of `{part.name}`" if own_gate(part) else f"the system's gate before `{part.name}`"
    does = {"ask": f"asks {gate.who}", "refuse": "refuses", "mask": "masks"}.get(gate.then, gate.then)
    return f"{whose}, which {does}{' about what cannot be traced' if gate.trace and isinstance(part, Tool) else ''}"
