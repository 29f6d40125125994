"""Events: the latest of a topic, those around an offset, and one with the runs that handle it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parti.board.queries.lines import EventShown, event_at, event_shown, handlers_of, run_lines
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.errors import RunError
from parti.ports.store import Event, Store
from parti.units import Bytes, Seconds

LIMIT_MAX: Final = 200

LINE_BYTES: Final[Bytes] = 4 * 1024
"""Characters of a payload that a list of events shows: it is read anew each second."""


@dataclass(frozen=True, slots=True)
class EventsShown:
    """Events of a topic, or of one partition; `first` and `end` are its offsets, or 0 and how many events there are in all."""

    topic: str
    partition: int | None
    first: int
    end: int
    events: tuple[EventShown, ...]


async def tail(store: Store, design: Design, topic: str, *, limit: int = 50) -> EventsShown:
    """The latest events of all partitions, the newest first. Raises P308 for a topic that there is not."""
    design.get(Topic, topic)
    limit = max(1, min(LIMIT_MAX, limit))
    found: list[Event] = []
    kept = 0
    for (name, partition), (first, end) in sorted((await store.ends()).items()):
        if name == topic:
            kept += end - first
            found += await store.events(topic, partition, start=max(first, end - limit), limit=limit)
    found.sort(key=lambda event: (-event.at, event.partition, -event.offset))
    return EventsShown(
        topic, None, 0, kept, tuple(event_shown(design, event, most=LINE_BYTES) for event in found[:limit])
    )


async def events_around(
    store: Store, design: Design, topic: str, partition: int, *, around: int, limit: int = 50
) -> EventsShown:
    """The events of a partition around an offset, in order. Raises P308 for a topic that there is not."""
    design.get(Topic, topic)
    limit = max(1, min(LIMIT_MAX, limit))
    first, end = (await store.ends()).get((topic, partition), (0, 0))
    start = max(first, min(around - limit // 2, end - limit))
    found = await store.events(topic, partition, start=start, limit=limit)
    return EventsShown(topic, partition, first, end, tuple(event_shown(design, one, most=LINE_BYTES) for one in found))


async def event(
    store: Store, design: Design, topic: str, partition: int, offset: int, *, at: Seconds = 0.0
) -> EventShown:
    """One event, with the runs that handle it. Raises P308 where it has expired or never was."""
    found = await event_at(store, topic, partition, offset)
    if found is None:
        what = f"there is no event {topic}:{partition}:{offset}"
        raise RunError("P308", what, fix="look at what is kept in the list of topics")
    readers = [handler.name for handler in design.all(Handler) if handler.topic == topic]
    records = await store.runs_of(handlers_of(design, found, readers))
    return event_shown(design, found, runs=tuple(await run_lines(store, design, records, at)))
