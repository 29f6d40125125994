"""The edges along which labels travel: those read in functions, and those that the parts themselves make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from parti.design.agent import Agent
from parti.design.dataflow import Dataflow, Manner, Slot
from parti.design.endpoint import Endpoint
from parti.design.fields import is_within
from parti.design.graph import Design
from parti.design.guard import Guard
from parti.design.handler import Handler
from parti.design.labels import NONE, Label, Region, Tag, Tags
from parti.design.llm import Llm
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.places import Place
from parti.design.source import Source
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.rules.flow.barrier import Barrier
from parti.rules.flow.seeds import unsaid_in

_MANNERS: Final[tuple[Manner, ...]] = ("value", "choice", "condition")


@dataclass(frozen=True, slots=True)
class Edge:
    """What is at `source` reaches `target`, but for what is released (`drops`), and for what a gate keeps out (`barrier`).

    `unseen` says that a run may not know of it, so that no gate is asked about it.

    `approved` says that a person says yes each time: only secrets, and what must stay in a region, keep their labels then.
    """

    source: Slot
    target: Slot
    place: Place
    manner: Manner = "value"
    exact: bool = False
    drops: Tags = NONE
    approved: bool = False
    unseen: bool = False
    barrier: Barrier | None = None

    def hands_on(self, tag: Tag) -> Tag | None:
        """What a label becomes along it: itself, or what is only swayed by what is protected; None where it is lost."""
        if tag in self.drops or tag is Label.TRUSTED:
            return None
        if self.approved:
            return tag if tag is Label.SECRET or isinstance(tag, Region) else None
        if self.manner == "value":
            return tag
        if tag in (Label.PROTECTED, Label.SWAYED):
            return Label.SWAYED
        return tag if self.manner == "choice" and tag is Label.UNTRUSTED else None


def edges_of(design: Design, dataflow: Dataflow) -> list[Edge]:
    """All edges, in a fixed order. Into what somebody labelled of a tool's answer there is none: its labels are declared."""
    read = (
        Edge(flow.source, flow.target, flow.place, flow.manner, flow.exact, unseen=flow.unseen)
        for flow in dataflow.flows
    )
    found = [_released(design, one) for edge in (*read, *_made(design)) for one in _undeclared(design, edge)]
    return sorted(found, key=lambda edge: (edge.source, edge.target, edge.place, _MANNERS.index(edge.manner)))


def _undeclared(design: Design, edge: Edge) -> Iterator[Edge]:
    """The edge; into a tool's answer, as far as it leads to fields of which nobody said anything."""
    part = design.by_name.get(edge.target.part)
    if not isinstance(part, Tool | ToolServer) or edge.target.port != "out":
        yield edge
        return
    path = edge.target.path
    for unsaid in unsaid_in(design, part):
        if is_within(path, unsaid):
            yield edge
        elif is_within(unsaid, path):
            rest = unsaid[len(path) :].lstrip(".")
            source = ".".join(name for name in (edge.source.path, rest) if name) if edge.exact else edge.source.path
            yield replace(edge, source=replace(edge.source, path=source), target=replace(edge.target, path=unsaid))


def _released(design: Design, edge: Edge) -> Edge:
    """A guard's answer has lost what it releases; to what a tool is given with a person's yes, they have said yes."""
    part = design.by_name.get(edge.target.part)
    if isinstance(part, Guard) and edge.target.port == "out":
        return replace(edge, drops=frozenset(part.releases))
    if isinstance(part, Tool) and edge.target.port == "in" and part.approval and part.approval.when is None:
        return replace(edge, approved=True)
    return edge


def _made(design: Design) -> Iterator[Edge]:
    for part in design.parts:
        at = part.place
        match part:
            case Handler():
                (event,) = part.function.parameters
                yield Edge(Slot(part.topic, "data"), Slot(part.name, "in", event.name), at, exact=True)
                yield from _failing(design, part)
                if part.to:
                    yield Edge(Slot(part.name, "out"), Slot(part.to, "data"), at, exact=True)
            case Topic() if part.dead_letters:
                for said in (
                    "event",
                    "key",
                    "error",
                ):  # the key is a field of the event, and an error may repeat another
                    yield Edge(Slot(part.name, "data"), Slot(part.dead_letters, "data", said), at)
            case Source():
                yield Edge(Slot(part.name, "out"), Slot(part.topic, "data"), at, exact=True)
            case Tool() | ToolServer():
                yield Edge(Slot(part.name, "in"), Slot(part.name, "out"), at)
            case Model():  # its output type says what its answer is; what goes in only sways it
                yield Edge(Slot(part.name, "in"), Slot(part.name, "out"), at, "choice")
            case Llm():
                for other in part.fallbacks:
                    yield Edge(Slot(part.name, "in"), Slot(other, "in"), at)
            case Endpoint() if part.agent:
                yield Edge(Slot(part.name, "in"), Slot(part.agent, "in"), at)
                yield Edge(Slot(part.agent, "out"), Slot(part.name, "out"), at)
            case Agent():
                yield from _of_agent(design, part)


def _failing(design: Design, handler: Handler) -> Iterator[Edge]:
    """What a handler is given, what it reads, and what it raises may stand in the error of its dead letters."""
    topic = design.by_name.get(handler.topic)
    if not isinstance(topic, Topic) or not topic.dead_letters:
        return
    said = Slot(topic.dead_letters, "data", "error")
    yield Edge(Slot(handler.name, "in"), said, handler.place)
    yield Edge(Slot(handler.name, "fails"), said, handler.place)
    for arrow in design.arrows_from(handler.name):
        if arrow.kind in ("calls", "reads"):
            for port in ("out", "data"):
                yield Edge(Slot(arrow.target, port), said, arrow.place)


def _of_agent(design: Design, agent: Agent) -> Iterator[Edge]:
    """All that an agent reads lies in one context, and may go into all that it does."""
    at, context = agent.place, Slot(agent.name, "in")
    yield Edge(context, Slot(agent.name, "out"), at)
    yield Edge(context, Slot(agent.llm, "in"), at)
    for name in agent.tools:
        yield Edge(Slot(name, "out"), context, at)
        yield Edge(context, Slot(name, "in"), at)
    if isinstance(design.by_name.get(agent.memory), Memory):
        yield Edge(Slot(agent.memory, "data"), context, at)
        yield Edge(context, Slot(agent.memory, "data"), at)
