"""Which labels are held at run time, and where: the flow through the design, as the engine needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from parti.design.agent import Agent
from parti.design.dataflow import Dataflow, Port
from parti.design.endpoint import Endpoint
from parti.design.gate import Gate
from parti.design.graph import Design, Part
from parti.design.labelling import Labelling, is_held
from parti.design.labels import NONE, Label, Labelled, Tag, Tags
from parti.design.llm import Llm
from parti.design.memory import Memory
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.rules.flow.clearing import is_cleared, minds, sink_of
from parti.rules.flow.edges import edges_of
from parti.rules.flow.seeds import seeds_of
from parti.rules.flow.spreading import Spread, indexed


def labelling_of(design: Design, dataflow: Dataflow) -> Labelling:
    """What the flow through `design` says that the engine must hold."""
    labels = Spread(design, indexed(edges_of(design, dataflow)), seeds_of(design))
    default = default_gate(design)
    own = [*(tool.gate for tool in design.all(Tool)), *(llm.gate for llm in design.all(Llm))]
    gates = [default, *(gate for gate in own if gate)]
    uncleared = {part.name: tags for part in design.parts if (tags := frozenset(_uncleared(labels, part)))}
    return Labelling(
        gives=_given(design, labels),
        fields={part.name: found for part in design.parts if (found := _labelled(labels, part.name, _port(part)))},
        taken={part.name: found for part in design.all(Endpoint) if (found := _labelled(labels, part.name, "in"))},
        context={part.name: held for part in design.all(Agent) if (held := _tags(labels, part.name, "in"))},
        uncleared=uncleared,
        gate=default,
        traces=any(_traces(design.by_name[name], default) for name in uncleared),
        masks=any(gate.then == "mask" for gate in gates),
        veiled=frozenset(_veiled(design, uncleared)),
    )


def _traces(part: Part, default: Gate) -> bool:
    """Whether a gate before the part may ask where an argument came from; no other part is worth a trail."""
    if isinstance(part, Tool):
        return (part.gate or default).trace
    return isinstance(part, ToolServer) and default.trace


def default_gate(design: Design) -> Gate:
    """What is done at a part without a gate of its own."""
    return design.gate or (Gate("ask", who=design.responsible) if design.responsible else Gate())


def _veiled(design: Design, uncleared: Mapping[str, Tags]) -> Iterator[str]:
    """The language models that are given personal data behind tokens alone, and the agents that work by them."""
    for llm in design.all(Llm):
        if Label.PII in uncleared.get(llm.name, NONE) and (llm.gate or default_gate(design)).masks(Label.PII):
            yield llm.name
            yield from (agent.name for agent in design.all(Agent) if agent.llm == llm.name)


def _given(design: Design, labels: Spread) -> dict[str, Labelled]:
    """What parts give of their own. What other parts gave them is marked when those give it, in the same run."""
    found: dict[str, Labelled] = {}
    for slot, tag in seeds_of(design):
        if slot.port == "out" and is_held(tag):
            found[slot.part] = (*found.get(slot.part, ()), (slot.path, tag))
    stored = [part.name for part in design.parts if _port(part) == "data"]
    return found | {name: kept for name in stored if (kept := _labelled(labels, name, "data"))}


def _port(part: Part) -> Port:
    return "data" if isinstance(part, Topic | Table | Memory) else "out"


def _tags(labels: Spread, part: str, port: Port) -> Tags:
    return frozenset(tag for tag in labels.at(part, port) if is_held(tag))


def _labelled(labels: Spread, part: str, port: Port) -> Labelled:
    return tuple(
        (slot.path, tag) for tag in labels.at(part, port) if is_held(tag) for slot in labels.slots(part, port, tag)
    )


def _uncleared(labels: Spread, part: Part) -> Iterator[Tag]:
    """The labels that may arrive at a part by which something leaves or happens, and that it is not cleared for."""
    for tag in sorted(_tags(labels, part.name, sink_of(part)), key=str):
        if minds(part, tag):
            slots = labels.slots(part.name, sink_of(part), tag)
            if any(not is_cleared(part, tag, slot.path) for slot in slots):
                yield tag
