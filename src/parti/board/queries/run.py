"""A run: its waterfall of calls, where its wall time went, and everything that it was given, gave, asked and spent.

The segments cut the time from its creation to its end (or to now) without gap or overlap, so their sum is the wall time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parti.board.queries.bands import Attempt, attempts_of, bands_of
from parti.board.queries.calls import Call, Placed, State, calls_of
from parti.board.queries.lines import (
    ErrorShown,
    EventShown,
    RunLine,
    error_shown,
    event_shown,
    known_run,
    learn,
    origin_of,
    run_line,
    shown,
    text_shown,
)
from parti.board.queries.masking import Known, Shown
from parti.board.queries.recorded import recorded
from parti.board.queries.shares import Segment, Shares, segments_of, shares_of
from parti.board.queries.sources import (
    arguments_raw,
    entry_raws,
    event_raw,
    json_of,
    question_raw,
    result_raw,
)
from parti.design.graph import Design
from parti.journal.entries import Kind
from parti.journal.identity import question_of_doubt
from parti.ports.store import Event, QuestionRecord, RunRecord, Store
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class Bar:
    """One call in the waterfall. `parent` is the index of the call that it is inside of; moments are seconds since 1970."""

    index: int
    parent: int | None
    depth: int
    kind: str
    part: str
    branch: str
    at: Seconds
    until: Seconds
    in_line_seconds: Seconds
    working_seconds: Seconds
    waiting_seconds: Seconds
    state: State
    attempt: int
    attempts: int
    batch: int
    input: Shown | None
    output: Shown | None
    error: ErrorShown | None
    usd: float
    tokens: int
    version: str
    question: str | None


@dataclass(frozen=True, slots=True)
class AttemptShown:
    """A try that failed."""

    number: int
    at: Seconds
    until: Seconds
    code: str
    message: Shown


@dataclass(frozen=True, slots=True)
class TaintShown:
    """Labels that the run read first from `part`."""

    part: str
    labels: tuple[str, ...]
    at: Seconds


@dataclass(frozen=True, slots=True)
class CoveredShown:
    """A field whose value left as a token, so many times; the value itself is in no journal."""

    field: str
    label: str
    times: int


@dataclass(frozen=True, slots=True)
class GateShown:
    """What was decided of a call that would have carried labels: "allow", "mask", "ask", "refuse" or "too often"."""

    part: str
    then: str
    why: Shown
    at: Seconds
    masked: tuple[CoveredShown, ...]


@dataclass(frozen=True, slots=True)
class RunQuestion:
    """A question of the run. `by` and `answered` say who settled it and when."""

    id: str
    who: str
    text: Shown
    state: str
    asked: Seconds
    deadline: Seconds | None
    answer: Shown | None
    by: str
    answered: Seconds | None


@dataclass(frozen=True, slots=True)
class RunShown:
    """Everything of one run; see the fields. `cut` entries are left out of a very long journal."""

    line: RunLine
    arguments: Shown | None
    result: Shown | None
    error: ErrorShown | None
    origin: EventShown | None
    begin: Seconds
    end: Seconds
    open: bool
    wall_seconds: Seconds
    shares: Shares
    segments: tuple[Segment, ...]
    bars: tuple[Bar, ...]
    attempts: tuple[AttemptShown, ...]
    usd: float
    tokens: int
    questions: tuple[RunQuestion, ...]
    taints: tuple[TaintShown, ...]
    gates: tuple[GateShown, ...]
    arrows_met: tuple[str, ...]
    entries: int
    cut: int


@dataclass(slots=True)
class Read:
    """What the store says of a run, and what is masked in all of it."""

    record: RunRecord
    origin: Event | None
    entries: list[Placed]
    questions: list[QuestionRecord]
    known: Known
    count: int


async def run(store: Store, design: Design, id: str, *, at: Seconds) -> RunShown:
    """The run of that id, as it is at `at`. Raises P308."""
    return shown_run(design, await read_run(store, design, await known_run(store, id)), at)


async def read_run(store: Store, design: Design, record: RunRecord) -> Read:
    """All that the store has of a run, bounded; and everything in it that is masked is learned first."""
    every, entries = await recorded(store, record.id)
    read = Read(record, await origin_of(store, record), entries, [], Known(), len(every))
    read.questions = await _questions(store, record, every)
    raws = [raw for one in entries for raw in entry_raws(design, record.id, one)]
    raws += [raw for raw in (arguments_raw(design, record), result_raw(design, record)) if raw]
    learn(read.known, [*raws, event_raw(design, read.origin)] if read.origin else raws)
    return read


async def _questions(store: Store, record: RunRecord, entries: Sequence[Placed]) -> list[QuestionRecord]:
    """The questions the run put, and those about its writes in doubt."""
    ids = [one.entry.digest for one in entries if one.entry.kind == Kind.ASK]
    writes = Counter((one.entry.part, one.entry.digest) for one in entries if one.entry.kind == Kind.INTENT)
    ids += [question_of_doubt(record.id, *write, n) for write, starts in writes.items() for n in range(1, starts + 1)]
    found = [await store.question(id) for id in dict.fromkeys(ids)]
    return sorted((one for one in found if one is not None), key=lambda one: one.asked)


def shown_run(design: Design, read: Read, at: Seconds) -> RunShown:
    """The view of what was read. Pure."""
    record, known, entries = read.record, read.known, read.entries
    end = max(record.created, record.ended or at)
    asked = {one.entry.digest for one in entries if one.entry.kind == Kind.ASK}
    doubts = [question for question in read.questions if question.id not in asked]
    calls = calls_of(design, entries, end, doubts)
    segments = segments_of(record.created, end, calls, bands_of(record, entries, end), record.busy)
    bars = _bars(design, record, calls, known)
    return RunShown(
        line=run_line(design, record, at, known),
        arguments=shown(arguments_raw(design, record), known),
        result=shown(result_raw(design, record), known),
        error=error_shown(json_of(record.error), known) if record.error else None,
        origin=event_shown(design, read.origin, known) if read.origin else None,
        begin=record.created,
        end=end,
        open=not record.state.ended,
        wall_seconds=end - record.created,
        shares=shares_of(segments),
        segments=tuple(segments),
        bars=tuple(bars),
        attempts=tuple(_attempt(one, known) for one in attempts_of(entries)),
        usd=sum(call.usd for call in calls),
        tokens=sum(call.tokens for call in calls),
        questions=tuple(_question(one, known) for one in read.questions),
        taints=tuple(_taints(entries)),
        gates=tuple(_gates(entries, known)),
        arrows_met=tuple(f"{one.entry.arguments} {one.entry.part}" for one in entries if one.entry.kind == Kind.ARROW),
        entries=read.count,
        cut=read.count - len(entries),
    )


def _bars(design: Design, record: RunRecord, calls: Sequence[Call], known: Known) -> list[Bar]:
    index_of = {id(call): index for index, call in enumerate(calls)}
    return [
        _bar(design, record, call, index, None if call.parent is None else index_of[id(call.parent)], known)
        for index, call in enumerate(calls)
    ]


def _bar(design: Design, record: RunRecord, call: Call, index: int, parent: int | None, known: Known) -> Bar:
    given = entry_raws(design, record.id, call.asked)[0] if call.asked else None
    gave = entry_raws(design, record.id, call.answered)[1] if call.answered else None
    failed = call.answered is not None and call.answered.entry.kind == Kind.FAIL
    return Bar(
        index=index,
        parent=parent,
        depth=call.depth,
        kind=call.kind,
        part=call.part,
        branch=known.in_text(call.branch or ""),
        at=call.at,
        until=call.until,
        in_line_seconds=call.seconds("in_line"),
        working_seconds=call.seconds("parts"),
        waiting_seconds=call.seconds("waiting"),
        state=call.state,
        attempt=call.attempt,
        attempts=call.attempts,
        batch=call.batch,
        input=shown(given, known),
        output=None if failed else shown(gave, known),
        error=error_shown(gave.value, known) if failed and gave else None,
        usd=call.usd,
        tokens=call.tokens,
        version=call.version,
        question=call.question or None,
    )


def _attempt(one: Attempt, known: Known) -> AttemptShown:
    error = error_shown(one.error, known)
    code, message = (error.code, error.message) if error else ("", Shown(""))
    return AttemptShown(one.number, one.at, one.until, code, message)


def _question(question: QuestionRecord, known: Known) -> RunQuestion:
    return RunQuestion(
        question.id,
        question.who,
        text_shown(question.text, known),
        question.state,
        question.asked,
        question.deadline or None,
        shown(question_raw(question), known),
        question.by,
        question.answered or None,
    )


def _taints(entries: Sequence[Placed]) -> list[TaintShown]:
    return [
        TaintShown(one.entry.part, tuple(map(str, one.entry.answer)), one.entry.at)
        for one in entries
        if one.entry.kind == Kind.TAINT
    ]


def _gates(entries: Sequence[Placed], known: Known) -> list[GateShown]:
    found: list[GateShown] = []
    for one in entries:
        decided: Any = one.entry.answer
        if one.entry.kind == Kind.GATE and isinstance(decided, dict):
            why = text_shown(str(decided.get("why", "")), known)
            covered = tuple(
                CoveredShown(str(each["field"]), str(each["label"]), int(each["times"]))
                for each in decided.get("masked", ())
            )
            found.append(GateShown(one.entry.part, str(decided.get("then", "")), why, one.entry.at, covered))
    return found
