"""Questions: what waits for a person, with all that a person needs to decide; and what was settled, by whom and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from parti.board.queries.lines import EventShown, RunLine, event_shown, run_line, shown, text_shown
from parti.board.queries.masking import Known, Shown
from parti.board.queries.run import Read, read_run
from parti.board.queries.sources import arguments_raw, entry_raws, json_of, question_raw
from parti.design.graph import Design
from parti.errors import RunError
from parti.journal.entries import Kind
from parti.ports.store import QuestionRecord, Store
from parti.units import Seconds

LIMIT_MAX: Final = 200
STATES: Final = ("open", "answered", "expired", "withdrawn", "")
SO_FAR_MAX: Final = 50
"""The latest answers of a run that are shown with its question."""

_ANSWERS: Final = frozenset({Kind.STEP, Kind.READ, Kind.DONE, Kind.FAIL})


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a part answered the run before it asked."""

    part: str
    kind: str
    at: Seconds
    answer: Shown


@dataclass(frozen=True, slots=True)
class Provenance:
    """A label that the run has read, and the part that gave it first."""

    label: str
    part: str


@dataclass(frozen=True, slots=True)
class QuestionShown:
    """A question. Moments are seconds since 1970; `left_seconds` is the time to its deadline, None without one.

    The run so far is told of open questions alone; a settled one has its run a click away.
    """

    id: str
    run: RunLine | None
    who: str
    text: Shown
    schema: Mapping[str, Any]
    asked: Seconds
    deadline: Seconds | None
    state: str
    answer: Shown | None
    by: str
    answered: Seconds | None
    left_seconds: Seconds | None
    event: EventShown | None
    arguments: Shown | None
    so_far: tuple[SoFar, ...]
    provenance: tuple[Provenance, ...]


async def questions(
    store: Store,
    design: Design,
    *,
    state: str = "open",
    who: str = "",
    limit: int = 100,
    brief: bool = False,
    at: Seconds,
) -> tuple[QuestionShown, ...]:
    """Questions: open ones in the order in which they were asked, others the latest first; `brief` ones without the run so far,
    whose values may be large. Raises P308."""
    if state not in STATES:
        raise RunError("P308", f"no question is {state!r}", fix="one of: open, answered, expired, withdrawn")
    limit = max(1, min(LIMIT_MAX, limit))
    found = await store.questions(who=who, state=state, latest=state != "open", limit=limit)
    return tuple([await _shown(store, design, question, at, brief=brief) for question in found])


async def question(store: Store, design: Design, id: str, *, at: Seconds) -> QuestionShown:
    """One question. Raises P308."""
    found = await store.question(id)
    if found is None:
        raise RunError("P308", f"there is no question {id!r}", fix="look at the list of questions")
    return await _shown(store, design, found, at)


async def _shown(
    store: Store, design: Design, question: QuestionRecord, at: Seconds, *, brief: bool = False
) -> QuestionShown:
    record, is_open = await store.run(question.run), question.state == "open"
    read = await read_run(store, design, record) if record is not None else None
    known = read.known if read else Known()
    schema = json_of(question.schema)
    told = read if is_open and not brief else None
    return QuestionShown(
        id=question.id,
        run=run_line(design, record, at, known) if record else None,
        who=question.who,
        text=text_shown(question.text, known),
        schema=schema if isinstance(schema, dict) else {},
        asked=question.asked,
        deadline=question.deadline or None,
        state=question.state,
        answer=shown(question_raw(question), known),
        by=question.by,
        answered=question.answered or None,
        left_seconds=max(0.0, question.deadline - at) if question.deadline and is_open else None,
        event=event_shown(design, told.origin, known) if told and told.origin else None,
        arguments=shown(arguments_raw(design, told.record), known) if told else None,
        so_far=tuple(_so_far(design, told)) if told else (),
        provenance=tuple(_provenance(read)) if read else (),
    )


def _so_far(design: Design, read: Read) -> list[SoFar]:
    found = []
    for placed in read.entries:
        entry = placed.entry
        if entry.kind in _ANSWERS:
            answer = shown(entry_raws(design, read.record.id, placed)[1], read.known)
            if answer is not None:
                found.append(SoFar(entry.part, entry.kind, entry.at, answer))
    return found[-SO_FAR_MAX:]


def _provenance(read: Read) -> list[Provenance]:
    found: dict[str, str] = {}
    for placed in read.entries:
        if placed.entry.kind == Kind.TAINT:
            for label in placed.entry.answer:
                found.setdefault(str(label), placed.entry.part)
    return [Provenance(*pair) for pair in found.items()]
