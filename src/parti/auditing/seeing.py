"""Seeing: every value that runs were given, gave and stored, in order, as the store of an audit tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import from_json

from parti.auditing.leaves import Leaf, argument_leaves, leaves
from parti.design.agent import Agent
from parti.design.dataflow import Port, Slot
from parti.design.endpoint import Endpoint
from parti.design.graph import Design, Part
from parti.design.llm import Llm
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.places import Place
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.journal.entries import Entry, Kind
from parti.ports.store import Event, RunRecord

Manner = Literal["is given", "gives", "stores", "reads", "publishes", "is sent"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A value, as the leaves of a part's port: what the run `run` did with it, and where in the program."""

    run: str
    part: str
    port: Port
    manner: Manner
    place: Place
    leaves: tuple[Leaf, ...]

    def slot(self, leaf: Leaf) -> Slot:
        """Where a leaf of it lies."""
        return Slot(self.part, self.port, leaf.path)

    @property
    def text(self) -> str:
        """What happened, in words."""
        what = {"is given": "`{}` is given it", "gives": "`{}` gives it", "stores": "`{}` keeps it", "reads": "it is read from `{}`",
                "publishes": "it is published to `{}`", "is sent": "it comes in by `{}`"}[self.manner]  # fmt: skip
        return what.format(self.part)


@dataclass(frozen=True, slots=True)
class Told:
    """What an audit's store has of one run: its record, its entries, its event and those that it published."""

    record: RunRecord
    entries: Sequence[Entry]
    event: Event | None
    published: Sequence[Event]


def seen_in(design: Design, told: Told) -> Iterator[Seen]:
    """Every value of one run, in the order in which it came up."""
    run, runner = told.record, design.by_name[told.record.part]
    if told.event is not None:
        topic = design.get(Topic, told.event.topic)
        value = from_json(told.event.payload)
        yield Seen(run.id, topic.name, "data", "is sent", topic.place, tuple(leaves(topic.payload.kind, value)))
    elif isinstance(runner, Endpoint):
        given = tuple(argument_leaves(runner.function, from_json(run.arguments)))
        yield Seen(run.id, runner.name, "in", "is sent", runner.place, given)
    for entry in told.entries:
        yield from _of_entry(design, run, entry)
    for event in told.published:
        topic = design.get(Topic, event.topic)
        value = from_json(event.payload)
        at = _place(design, run.part, topic)
        yield Seen(run.id, topic.name, "data", "publishes", at, tuple(leaves(topic.payload.kind, value)))
    if isinstance(runner, Endpoint) and run.result:
        found = tuple(leaves(runner.function.returns.kind, from_json(run.result)))
        yield Seen(run.id, runner.name, "out", "gives", runner.place, found)


def _place(design: Design, runner: str, part: Part) -> Place:
    """Where the run's program uses the part; where that stands, if the program does not use it by itself."""
    return next((one.place for one in design.arrows_from(runner) if one.target == part.name), part.place)


def _of_entry(design: Design, run: RunRecord, entry: Entry) -> Iterator[Seen]:
    part = design.by_name.get(entry.part) or design.by_name.get(entry.part.partition(".")[0])
    match part:
        case Tool() | Step() | ToolServer():
            found = _of_call(part, entry)
        case Agent() | Model() | Llm() if entry.kind == Kind.STEP:
            found = _of_answer(part, entry)
        case Table() | Memory():
            found = _of_store(part, entry)
        case _:
            return
    for port, manner, inside in found:
        place = part.place if manner == "gives" else _place(design, run.part, part)
        yield Seen(run.id, part.name, port, manner, place, tuple(inside))


Read = tuple[Port, Manner, Iterable[Leaf]]


def _of_call(part: Tool | Step | ToolServer, entry: Entry) -> Iterator[Read]:
    """A write is journaled twice: as what is about to happen, and as what came of it."""
    if entry.kind in (Kind.STEP, Kind.INTENT):
        given = entry.arguments
        typed = None if isinstance(part, ToolServer) else argument_leaves(part.function, _listed(given))
        yield "in", "is given", _loose(given) if typed is None else typed
    if entry.kind in (Kind.STEP, Kind.DONE):
        typed = None if isinstance(part, ToolServer) else leaves(part.function.returns.kind, entry.answer)
        yield "out", "gives", _loose(entry.answer) if typed is None else typed


def _of_answer(part: Agent | Model | Llm, entry: Entry) -> Iterator[Read]:
    if not isinstance(part, Model):
        yield "in", "is given", _loose(entry.arguments)
    if isinstance(part, Agent):
        output = entry.answer.get("output") if isinstance(entry.answer, Mapping) else None
        yield "out", "gives", leaves(part.output.kind, output)
    if isinstance(part, Model):
        yield "out", "gives", leaves(part.output.kind, entry.answer)


def _of_store(part: Table | Memory, entry: Entry) -> Iterator[Read]:
    """Rows have types; of what is remembered, the scope is no part of the fact."""
    if isinstance(part, Table):
        if entry.kind in (Kind.PUT, Kind.READ):
            manner: Manner = "stores" if entry.kind == Kind.PUT else "reads"
            yield "data", manner, leaves(part.payload.kind, entry.answer)
    elif entry.kind == Kind.MEMORY:
        yield "data", "stores", _loose(entry.arguments[2:])
    elif entry.kind in (Kind.STEP, Kind.READ):
        yield "data", "reads", _loose(entry.answer)


def _loose(value: Any) -> list[Leaf]:
    """Every text in a value without a type, as one field."""
    return [Leaf("", (), text) for text in _texts(value)]


def _listed(arguments: Any) -> list[Any]:
    return arguments if isinstance(arguments, list) else [arguments]


def _texts(value: Any) -> list[str]:
    """Every text in a JSON value, names among them."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for pair in value.items() for one in pair for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return []
