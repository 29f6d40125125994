"""Which labels are held at run time, and where: the flow through the design, as the engine needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from parti.design.agent import Agent
from parti.design.dataflow import Dataflow, Port
from parti.design.endpoint import Endpoint
from parti.design.gate import Gate
from parti.design.graph import Design, Part
from parti.design.guard import Guard
from parti.design.labelling import Labelling, is_held
from parti.design.labels import NONE, Label, Labelled, Region, Tag, Tags
from parti.design.llm import Llm
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.source import Source
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.rules.flow.edges import edges_of
from parti.rules.flow.seeds import seeds_of, types_of
from parti.rules.flow.spreading import Spread, indexed
from parti.rules.reach import allows, given_labels, is_outside


def is_declared(design: Design) -> bool:
    """Whether a design says anything of labels."""
    return any(_says(design, part) for part in design.parts)


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
        traces=any(gate.trace for gate in gates),
        masks=any(gate.then == "mask" for gate in gates),
        veiled=frozenset(_veiled(design, uncleared)),
    )


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
    for tag in sorted(_tags(labels, part.name, _sink(part)), key=str):
        if _minds(part, tag):
            slots = [slot.path for slot in labels.slots(part.name, _sink(part), tag)]
            if isinstance(part, Tool) and tag is Label.UNTRUSTED:
                slots = [path for path in _minded(part) if any(_overlap(path, slot) for slot in slots)]
                said = given_labels(part)
            else:
                said = _cleared(part)
            if any(not allows(said, tag, path) for path in slots):
                yield tag


def _minded(tool: Tool) -> list[str]:
    """The arguments that strangers may not decide: of a tool that is cleared for their text, those that decide."""
    if Label.UNTRUSTED in tool.clearance:
        return list(tool.control)
    return [*tool.control, *(parameter.name for parameter in tool.function.parameters)]


def _overlap(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return not short or long == short or long.startswith(f"{short}.")


_ANYWHERE: Final = frozenset({Label.UNTRUSTED, Label.PII, Label.PROTECTED, Label.SECRET})
"""Labels that any part minds; regions are those of language models alone, as `parti check` has it."""


def _sink(part: Part) -> Port:
    return "data" if isinstance(part, Topic) else "out" if isinstance(part, Endpoint) else "in"


def _minds(part: Part, tag: Tag) -> bool:
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


def _cleared(part: Part) -> Labelled:
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
