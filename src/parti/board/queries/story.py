"""A story: from what came in at first to the last thing that followed; runs, and the events between them.

Up from a run to the run whose event it handles, as far as it goes; from there down to all that was caused. Bounded in every
direction, and it says where it was cut.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from parti.board.queries.lines import EventLine, RunLine, event_line, known_run, origin_of, run_lines
from parti.design.graph import Design
from parti.journal.caused import find_caused
from parti.journal.entries import Kind, decode
from parti.ports.store import Event, RunRecord, Store
from parti.units import Seconds

RUNS_MAX: Final = 200
UP_MAX: Final = 16
DOWN_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class StoryRun:
    """A run of the story. `parent` is the run whose event it handles, and `event` that event."""

    run: RunLine
    parent: str | None
    event: EventLine | None
    depth: int


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """An event of the story, and the runs that handle it."""

    event: EventLine
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """The runs in the order in which they were found, causes before what they caused; `asked` is the one that was asked for."""

    root: str
    asked: str
    nodes: tuple[StoryRun, ...]
    events: tuple[StoryEvent, ...]
    cut: bool


async def story(store: Store, design: Design, id: str, *, at: Seconds) -> Story:
    """The story that a run belongs to. Raises P308."""
    root, cut = await _root(store, await known_run(store, id))
    [first] = await run_lines(store, design, [root], at)
    nodes = [StoryRun(first, None, await _origin(store, design, root), 0)]
    events: list[StoryEvent] = []
    waiting: deque[tuple[RunRecord, int]] = deque([(root, 0)])
    known = {root.id}
    while waiting:
        record, depth = waiting.popleft()
        if depth >= DOWN_MAX:
            cut = True
            continue
        for caused in await _caused(store, record):
            line = event_line(design, caused[0])
            events.append(StoryEvent(line, tuple(run.id for run in caused[1])))
            for run in caused[1]:
                if run.id in known:
                    continue
                if len(nodes) >= RUNS_MAX:
                    cut = True
                    break
                known.add(run.id)
                [shown] = await run_lines(store, design, [run], at)
                nodes.append(StoryRun(shown, record.id, line, depth + 1))
                waiting.append((run, depth + 1))
    return Story(root.id, id, tuple(nodes), tuple(events), cut)


async def _root(store: Store, record: RunRecord) -> tuple[RunRecord, bool]:
    """The run with which the story began, and whether there may be more before it."""
    for _ in range(UP_MAX):
        event = await origin_of(store, record)
        above = await store.run(event.cause) if event and event.cause else None
        if above is None or above.id == record.id:
            return record, False
        record = above
    return record, True


async def _origin(store: Store, design: Design, record: RunRecord) -> EventLine | None:
    event = await origin_of(store, record)
    return event_line(design, event) if event else None


async def _caused(store: Store, record: RunRecord) -> list[tuple[Event, list[RunRecord]]]:
    published = [
        (entry.part, str(entry.arguments))
        for row in await store.journal(record.id)
        for entry in decode(row.body)
        if entry.kind == Kind.PUBLISH
    ]
    if not published:
        return []
    return [(one.event, one.runs) for one in await find_caused(record, published, store)]
