"""Sources: each JSON value that the board shows, with its shape and the name of the place it lies at.

Places are ``event/<topic>/<partition>/<offset>``, ``run/<id>/arguments``, ``run/<id>/result``, ``run/<id>/error``,
``entry/<run>/<seq>/<index>/arguments``, ``.../answer`` and ``question/<id>/answer``, each part percent-encoded; a ``#`` and a JSON
pointer (RFC 6901) follow where a field is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from pydantic_core import from_json

from parti.board.queries.calls import Placed
from parti.board.queries.kinds import part_of
from parti.board.queries.shapes import MASKED, Also, Each, Named, Positions, labelled_in
from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.function import Function
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.labels import Labelled
from parti.design.model import Model
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.journal.entries import Entry, Kind
from parti.ports.store import Event, QuestionRecord, RunRecord


@dataclass(frozen=True, slots=True)
class Raw:
    """A value as it is stored, before anything is masked."""

    place: str
    value: Any
    shape: Any = None


def place_of(*parts: object) -> str:
    """The name of a place."""
    return "/".join(quote(str(part), safe="") for part in parts)


def parts_of(place: str) -> list[str]:
    """The parts of a place's name, without its pointer."""
    return [unquote(part) for part in place.split("/")]


def event_raw(design: Design, event: Event) -> Raw:
    """An event's payload."""
    place = place_of("event", event.topic, event.partition, event.offset)
    return Raw(place, json_of(event.payload), topic_shape(design, event.topic))


def topic_shape(design: Design, name: str) -> Any:
    """The shape of a topic's events: its type, what its source declares, and that of the dead event in a dead letter."""
    topic = design.by_name.get(name)
    for other in design.all(Topic):
        if other.dead_letters == name:
            inner, key = topic_shape(design, other.name), field_shape(design, other.name, other.key)
            return Named((("event", inner), ("key", key)))
    if not isinstance(topic, Topic):
        return None
    labelled = tuple(pair for source in design.all(Source) if source.topic == name for pair in source.labels or ())
    return _also(topic.payload.kind, labelled)


def field_shape(design: Design, topic: str, name: str) -> Any:
    """The shape of one field of a topic's events, in as far as it is labelled as a whole."""
    found = labelled_in({name: MARK}, topic_shape(design, topic))
    return Also(None, (("", MASKED[0]),)) if found else None


MARK = "mark"


def key_is_masked(design: Design, record: RunRecord) -> bool:
    """Whether the key of a run is what a labelled field holds."""
    if record.topic:
        return event_key_is_masked(design, record.topic)
    runner = design.by_name.get(record.part)
    if not isinstance(runner, Endpoint) or not runner.key:
        return False
    first, _, rest = runner.key.partition(".")
    at = [one.name for one in runner.function.parameters].index(first)
    value: Any = MARK
    for name in reversed(rest.split(".") if rest else []):
        value = {name: value}
    return bool(labelled_in([None] * at + [value], arguments_shape(runner.function, runner.labels)))


def event_key_is_masked(design: Design, topic: str) -> bool:
    """Whether the key of a topic's events is what a labelled field holds."""
    part = design.by_name.get(topic)
    for other in design.all(Topic):
        if other.dead_letters == topic:
            return event_key_is_masked(design, other.name)
    return isinstance(part, Topic) and bool(labelled_in({part.key: MARK}, topic_shape(design, topic)))


def arguments_raw(design: Design, record: RunRecord) -> Raw | None:
    """What a run was called with; None for the run of an event."""
    if not record.arguments:
        return None
    runner = design.by_name.get(record.part)
    shape = None
    if isinstance(runner, Handler | Endpoint | Schedule):
        shape = arguments_shape(runner.function, runner.labels if isinstance(runner, Endpoint) else None)
    return Raw(place_of("run", record.id, "arguments"), json_of(record.arguments), shape)


def result_raw(design: Design, record: RunRecord) -> Raw | None:
    """What a run gave back; None where it gave nothing, or an event."""
    if not record.result:
        return None
    runner = design.by_name.get(record.part)
    shape = runner.function.returns.kind if isinstance(runner, Handler | Endpoint | Schedule) else None
    return Raw(place_of("run", record.id, "result"), json_of(record.result), shape)


def arguments_shape(function: Function, labelled: Labelled | None) -> Any:
    """The shape of a function's arguments, a JSON array; `labelled` are labels by path from the parameters on."""
    items = []
    for one in function.parameters:
        own = tuple(
            (path.partition(".")[2], tag) for path, tag in labelled or () if path.split(".")[0] in (one.name, "")
        )
        items.append(_also(one.payload.kind, own))
    return Positions(tuple(items))


def _also(shape: Any, labelled: Labelled | None) -> Any:
    return Also(shape, labelled) if labelled and any(tag in MASKED for _, tag in labelled) else shape


def entry_raws(design: Design, run: str, placed: Placed) -> tuple[Raw, Raw]:
    """The arguments and the answer of a journal entry."""
    entry = placed.entry
    given, gave = _entry_shapes(design, entry)
    answer = entry.answer
    if isinstance(design.by_name.get(entry.part), Table):
        answer = _rows(entry)
    elif entry.kind == Kind.MEMORY and isinstance(answer, dict):
        answer = _without_vector(answer)
    where = ("entry", run, placed.seq, placed.position)
    return Raw(place_of(*where, "arguments"), entry.arguments, given), Raw(place_of(*where, "answer"), answer, gave)


def _entry_shapes(design: Design, entry: Entry) -> tuple[Any, Any]:
    """The shapes of an entry's arguments and answer. A failure's answer is its error, and has none."""
    part, failed = part_of(design, entry.part), entry.kind == Kind.FAIL
    match part:
        case Step() | Tool():
            labelled = part.labels if isinstance(part, Tool) else None
            given = arguments_shape(part.function, None)
            return given, None if failed else _also(part.function.returns.kind, labelled)
        case ToolServer():
            return None, None if failed else _also(None, part.labels)
        case Model():
            inputs = part.inputs.kind
            asked = Positions((inputs,)) if _asks_for_reasons(entry.arguments) else inputs
            return asked, part.output.kind
        case Agent():
            return None, Named((("output", part.output.kind),))
        case Table():
            many = entry.kind == Kind.READ and isinstance(entry.arguments, list)
            return _key_shape(part), Each(part.payload.kind) if many else part.payload.kind
        case Topic():
            return (Also(None, (("", MASKED[0]),)) if event_key_is_masked(design, part.name) else None), None
    return None, None


def _asks_for_reasons(arguments: Any) -> bool:
    return isinstance(arguments, list) and len(arguments) == 2 and isinstance(arguments[1], int)


def _key_shape(table: Table) -> Any:
    found = labelled_in({table.key: MARK}, table.payload.kind)
    return Also(None, (("", MASKED[0]),)) if found else None


def _rows(entry: Entry) -> Any:
    """Rows without the digests of their schemas, beside which they are stored."""
    answer = entry.answer
    if entry.kind == Kind.READ and isinstance(entry.arguments, list):
        return [_row(one) for one in answer] if isinstance(answer, list) else answer
    return _row(answer)


def _row(stored: Any) -> Any:
    return stored[1] if isinstance(stored, list) and len(stored) == 2 else stored


def _without_vector(answer: dict[str, Any]) -> dict[str, Any]:
    """What was remembered, without the numbers that stand for its meaning."""
    row = answer.get("row")
    kept = {name: value for name, value in row.items() if name != "vector"} if isinstance(row, dict) else row
    return {**answer, "row": kept}


def question_raw(question: QuestionRecord) -> Raw | None:
    """The answer to a question; None while there is none. A doubt's facts lie there while it is open."""
    if question.state != "answered" or not question.answer:
        return None
    return Raw(place_of("question", question.id, "answer"), json_of(question.answer))


def json_of(body: bytes) -> Any:
    """The value; a body that is no JSON as its text."""
    try:
        return from_json(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")
