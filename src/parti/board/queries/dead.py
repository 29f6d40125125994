"""Dead letters: the runs that failed for good, each with its error, its event, and what a retry would do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from parti.board.queries.lines import (
    ErrorShown,
    EventShown,
    RunLine,
    error_shown,
    event_shown,
    known_of,
    origin_of,
    run_line,
)
from parti.board.queries.runs import Filters, runs
from parti.board.queries.sources import json_of
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.errors import RunError
from parti.journal.entries import Kind, decode
from parti.ports.store import RunRecord, State, Store
from parti.units import Seconds

LIMIT_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class DeadShown:
    """A dead run. `event` is None where it was called, is a tick, or its event has expired; `retry` says what a retry does."""

    run: RunLine
    error: ErrorShown | None
    attempts: int
    event: EventShown | None
    retry: str
    can_retry: bool


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """A page of dead runs, the latest first; `next` goes on, and is None at the end."""

    letters: tuple[DeadShown, ...]
    next: str | None
    exhausted: bool


async def dead_letters(
    store: Store, design: Design, *, topic: str = "", part: str = "", after: str = "", limit: int = 50, at: Seconds
) -> DeadLetters:
    """Dead runs: of one part, or of the handlers of a topic. Raises P308."""
    readers = {handler.name for handler in design.all(Handler) if handler.topic == topic}
    if topic and not readers:
        raise RunError("P308", f"nothing handles the events of {topic!r}", fix="look at the list of topics")
    filters = Filters(state=State.DEAD, part=part, after=after, limit=max(1, min(LIMIT_MAX, limit)))
    if topic and len(readers) == 1:
        filters = replace(filters, part=next(iter(readers)))
    page = await runs(store, design, filters, at=at)
    records = [await store.run(line.id) for line in page.runs if not topic or line.part in readers]
    letters = [await _letter(store, design, record, at) for record in records if record is not None]
    return DeadLetters(tuple(letters), page.next, page.exhausted)


async def _letter(store: Store, design: Design, record: RunRecord, at: Seconds) -> DeadShown:
    known, event = await known_of(store, design, record), await origin_of(store, record)
    what, possible = await _retry(store, design, record, expired=bool(record.topic) and event is None)
    return DeadShown(
        run=run_line(design, record, at, known),
        error=error_shown(json_of(record.error), known),
        attempts=record.attempt,
        event=event_shown(design, event, known) if event else None,
        retry=what,
        can_retry=possible,
    )


async def _retry(store: Store, design: Design, record: RunRecord, *, expired: bool) -> tuple[str, bool]:
    """What a retry of a run does, in words, and whether it can be done."""
    if record.part not in design.by_name:
        return f"`{record.part}` is no part of this system any more: start the version of the app that has it.", False
    if expired:
        return "Its event has expired: publish it again.", False
    entries = [entry for row in await store.journal(record.id) for entry in decode(row.body)]
    done = sorted({entry.part for entry in entries if entry.kind == Kind.DONE})
    kept = sum(entry.kind == Kind.STEP for entry in entries)
    said = f"`{record.part}` is called again from its first line, behind the runs of its key that wait."
    if kept:
        said += f" {kept} answers of steps come from its journal."
    if done:
        said += f" What {', '.join(f'`{name}`' for name in done)} did outside is not done again."
    return said + " Rows are looked up anew.", True
