"""A part: its source, options, labels, schemas and versions as declared; its runs, latencies and errors as they were."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import ceil, log10
from typing import Any, Final

from parti.board.queries.calls import Placed, calls_of
from parti.board.queries.figures import FAILED, percentile
from parti.board.queries.kinds import kind_of, part_of, runners_of
from parti.board.queries.lines import RunLine, known_of, run_lines
from parti.board.queries.masking import Known
from parti.board.queries.sources import json_of
from parti.design.addresses import shown_address
from parti.design.agent import Agent
from parti.design.function import Function, schema_of
from parti.design.graph import Design, Part
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.payload import Payload
from parti.design.table import Table
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.errors import RunError
from parti.journal.entries import Kind, decode
from parti.ports.store import ModelVersion, RunRecord, State, Store
from parti.units import Seconds

RUNS_MAX: Final = 400
"""Runs that a runner's histogram is made of."""

JOURNALS_MAX: Final = 150
"""Journals that the histogram of another part is made of."""

RECENT: Final = 20
SOURCE_LINES_MAX: Final = 400
CAUSES_MAX: Final = 50
A_STEP: Final = 5
"""Bars of the histogram for each power of ten."""


@dataclass(frozen=True, slots=True)
class LabelShown:
    """A label that a field carries; the path "" is the whole."""

    path: str
    label: str


@dataclass(frozen=True, slots=True)
class PartArrow:
    """An arrow from or to the part."""

    source: str
    kind: str
    target: str
    may: bool


@dataclass(frozen=True, slots=True)
class VersionShown:
    """A version of a model."""

    version: int
    created: Seconds
    metrics: Mapping[str, Any]
    about: Mapping[str, Any]
    code: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many took from `from_seconds` until below `until_seconds`."""

    from_seconds: Seconds
    until_seconds: Seconds
    count: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Errors that are the same but for numbers, names and ids. `run` is the latest that failed with it."""

    code: str
    message: str
    count: int
    first_at: Seconds
    last_at: Seconds
    run: str


@dataclass(frozen=True, slots=True)
class PartShown:
    """A part. `looked_at` runs are behind the histogram and the causes; times are in seconds."""

    name: str
    kind: str
    about: str
    file: str
    line: int
    source: str | None
    options: Mapping[str, Any]
    labels: tuple[LabelShown, ...]
    schema: Mapping[str, Any] | None
    answer_schema: Mapping[str, Any] | None
    arrows: tuple[PartArrow, ...]
    versions: tuple[VersionShown, ...]
    recent: tuple[RunLine, ...]
    looked_at: int
    histogram: tuple[Bucket, ...]
    p50_seconds: Seconds | None
    p99_seconds: Seconds | None
    errors: tuple[Cause, ...]


@dataclass(slots=True)
class _Measured:
    """What was looked at: how long each took, and each failure with its moment, run and error."""

    looked_at: int
    took: list[Seconds]
    failures: list[tuple[Seconds, RunRecord, Any]]
    recent: list[RunRecord]


async def part(store: Store, design: Design, name: str, *, at: Seconds) -> PartShown:
    """The part of that name. Raises P308."""
    found = design.by_name.get(name)
    if found is None:
        known = ", ".join(sorted(design.by_name)[:30])
        raise RunError("P308", f"{design.name} has no part {name!r}", fix=f"one of: {known}")
    is_runner = any(runner.name == name for runner in runners_of(design))
    measured = await (_runs(store, name) if is_runner else _calls(store, design, name))
    asked, answer = _schemas(found)
    return PartShown(
        name=name,
        kind=kind_of(found),
        about=found.about,
        file=found.place.file,
        line=found.place.line,
        source=_source(found),
        options=_options(found),
        labels=tuple(LabelShown(path, str(tag)) for path, tag in _labels(found)),
        schema=asked,
        answer_schema=answer,
        arrows=tuple(
            PartArrow(one.source, one.kind, one.target, one.may)
            for one in design.arrows
            if name in (one.source, one.target)
        ),
        versions=tuple(map(_version, reversed(await store.models(name)))) if isinstance(found, Model) else (),
        recent=tuple(await run_lines(store, design, measured.recent[:RECENT], at)),
        looked_at=measured.looked_at,
        histogram=tuple(histogram(measured.took)),
        p50_seconds=percentile(measured.took, 0.5),
        p99_seconds=percentile(measured.took, 0.99),
        errors=tuple(await _causes(store, design, measured.failures)),
    )


async def _runs(store: Store, name: str) -> _Measured:
    """The latest runs of a runner, from their creation to their end; and its latest dead ones, however long ago."""
    records = await store.runs(part=name, limit=RUNS_MAX)
    dead = {one.id: one for one in await store.runs(part=name, state=State.DEAD, limit=RUNS_MAX)}
    dead |= {one.id: one for one in records if one.error}
    took = [one.ended - one.created for one in records if one.ended]
    failures = [
        (one.ended or one.started or one.created, one, json_of(one.error)) for one in dead.values() if one.error
    ]
    return _Measured(len(records), took, failures, records)


async def _calls(store: Store, design: Design, name: str) -> _Measured:
    """The calls of a part in the latest runs of those that reach it."""
    runners = [one.name for one in runners_of(design) if name in _reached(design, one.name)]
    measured = _Measured(0, [], [], [])
    for runner in runners:
        for record in await store.runs(part=runner, limit=max(1, JOURNALS_MAX // len(runners))):
            measured.looked_at += 1
            rows = await store.journal(record.id)
            entries = [Placed(row.seq, n, entry) for row in rows for n, entry in enumerate(decode(row.body))]
            calls = [
                one for one in calls_of(design, entries, record.ended or record.created) if _is(design, one.part, name)
            ]
            if calls:
                measured.recent.append(record)
            for call in calls:
                if call.stretches:
                    measured.took.append(call.until - call.at)
                if call.state in FAILED and call.answered and call.answered.entry.kind == Kind.FAIL:
                    measured.failures.append((call.until, record, call.answered.entry.answer))
    measured.recent.sort(key=lambda one: -one.created)
    return measured


def _is(design: Design, called: str, name: str) -> bool:
    found = part_of(design, called)
    return (found.name if found else called) == name


def _reached(design: Design, runner: str) -> set[str]:
    """All that a runner uses, directly or through what it calls."""
    return {arrow.target for name in design.reach(runner) for arrow in design.arrows_from(name)}


async def _causes(store: Store, design: Design, failures: Sequence[tuple[Seconds, RunRecord, Any]]) -> list[Cause]:
    """Failures by what caused them, the most frequent first. Each is masked as its own run's input says."""
    grouped: dict[tuple[str, str], list[tuple[Seconds, str]]] = defaultdict(list)
    known: dict[str, Known] = {}
    for moment, record, error in failures:
        facts = error if isinstance(error, dict) else {}
        if record.id not in known:
            known[record.id] = await known_of(store, design, record)
        message = normalised(known[record.id].in_text(str(facts.get("error", ""))))
        grouped[str(facts.get("code", "")), message].append((moment, record.id))
    found = [
        Cause(code, message, len(each), min(each)[0], max(each)[0], max(each)[1])
        for (code, message), each in grouped.items()
    ]
    return sorted(found, key=lambda one: (-one.count, -one.last_at))[:CAUSES_MAX]


_VARIABLE: Final = re.compile(
    r"(?P<quoted>'[^'\n]{1,200}'|\"[^\"\n]{1,200}\")|(?P<id>\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\b|\b(?=\w*\d)\w*[a-zA-Z_]\w*\b)|(?P<number>-?\d+(?:\.\d+)?)"
)


def normalised(message: str) -> str:
    """An error's message with numbers as 0, ids as `…` and what is quoted as '…', in one line of at most 300 characters."""
    line = " ".join(message.split())[:2_000]
    return _VARIABLE.sub(lambda one: "0" if one["number"] else "'…'" if one["quoted"] else "…", line)[:300]


def histogram(took: Sequence[Seconds]) -> list[Bucket]:
    """Counts in buckets of equal width on a logarithmic scale, A_STEP for each power of ten, from the first to the last in use."""
    if not took:
        return []
    counts: dict[int, int] = defaultdict(int)
    for seconds in took:
        counts[ceil(log10(max(seconds, 1e-6)) * A_STEP)] += 1
    return [
        Bucket(10 ** ((step - 1) / A_STEP), 10 ** (step / A_STEP), counts[step])
        for step in range(min(counts), max(counts) + 1)
    ]


def _version(version: ModelVersion) -> VersionShown:
    metrics, about = json_of(version.metrics), json_of(version.about)
    return VersionShown(
        version.version,
        version.created,
        metrics if isinstance(metrics, dict) else {},
        about if isinstance(about, dict) else {},
        version.code,
    )


def _source(part: Part) -> str | None:
    """The text of the part's function, or of what trains a model; None where there is none to be read."""
    function: Callable[..., Any] | None = None
    match part:
        case Model():
            function = part.train
        case Agent():
            return part.instructions
        case _:
            own = getattr(part, "function", None) or getattr(part, "read", None)
            function = own.call if isinstance(own, Function) else own
    if function is None:
        return None
    try:
        lines, _ = inspect.getsourcelines(inspect.unwrap(function))
    except (OSError, TypeError):
        return None
    return inspect.cleandoc("".join(lines[:SOURCE_LINES_MAX])) if lines else None


def _options(part: Part) -> dict[str, Any]:
    """The options as declared, as far as they are data. Of settings, addresses and commands nothing secret is told."""
    hidden: dict[str, Any] = {}
    if isinstance(part, Llm):
        hidden = {"target": shown_address(part.target), "settings": sorted(part.settings)}
    if isinstance(part, ToolServer):
        hidden = {"url": shown_address(part.url), "command": list(part.command[:1])}
    known = {"name", "place", "about", "function", "payload", "instructions"}
    facts = {one.name: getattr(part, one.name) for one in fields(part) if one.repr and one.name not in known}
    return {name: _plain(value) for name, value in {**facts, **hidden}.items()}


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Payload():
            return value.name
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case tuple() | list() | frozenset() | set():
            return [_plain(item) for item in value]
        case _ if hasattr(value, "__dataclass_fields__"):
            return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return str(value)


def _labels(part: Part) -> list[tuple[str, Any]]:
    """The labels of what a part holds, is given or gives, as types and options say."""
    match part:
        case Topic() | Table():
            return list(part.payload.labels)
        case Model():
            return [*part.inputs.labels, *part.output.labels]
        case Agent():
            return list(part.output.labels)
    found = list(getattr(part, "labels", None) or ())
    function = getattr(part, "function", None)
    if isinstance(function, Function):
        for one in function.parameters:
            found += [(f"{one.name}.{path}" if path else one.name, tag) for path, tag in one.payload.labels]
        found += [(f"answer.{path}" if path else "answer", tag) for path, tag in function.returns.labels]
    return list(dict.fromkeys(found))


def _schemas(part: Part) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The JSON schemas of what a part holds or is given, and of what it answers."""
    match part:
        case Topic() | Table():
            return dict(part.payload.schema), None
        case Model():
            return dict(part.inputs.schema), dict(part.output.schema)
        case Agent():
            return None, dict(part.output.schema)
    function = getattr(part, "function", None)
    return (schema_of(function), dict(function.returns.schema)) if isinstance(function, Function) else (None, None)
