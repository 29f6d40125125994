"""What a run caused: the events it published, found by their cause, and the runs that handle them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parti.engine.identity import run_of_event
from parti.ports.store import Event, RunRecord, Store

PAGE: Final = 512
SOUGHT_MAX: Final = 100_000
"""Events of a partition that are looked through at most; events are not indexed by their cause."""


@dataclass(frozen=True, slots=True)
class Caused:
    """An event that a run published, and the runs that handle it."""

    event: Event
    runs: list[RunRecord]


async def find_caused(run: RunRecord, topics: list[str], store: Store) -> list[Caused]:
    """The events of `run` in `topics` (and in its topic's dead letters), in the order of topic and offset."""
    sought = set(topics) | ({f"{run.topic}.dead"} if run.topic and run.ended else set())
    if not sought:
        return []
    ends, cursors = await store.ends(), await store.cursors()
    found: list[Caused] = []
    for (topic, partition), (first, end) in sorted(ends.items()):
        if topic in sought:
            readers = sorted({handler for handler, name, _ in cursors if name == topic})
            for event in await _events_of(run, topic, partition, first, end, store):
                ids = [run_of_event(reader, topic, partition, event.offset) for reader in readers]
                found.append(Caused(event, await store.runs_of(ids)))
    return found


async def _events_of(run: RunRecord, topic: str, partition: int, first: int, end: int, store: Store) -> list[Event]:
    """Offsets follow time closely, so those written before the run began are skipped by bisection."""
    found: list[Event] = []
    start = await _first_since(run.started, topic, partition, first, end, store)
    stop = min(end, start + SOUGHT_MAX)
    while start < stop:
        page = await store.events(topic, partition, start=start, limit=PAGE)
        found += [event for event in page if event.cause == run.id]
        # Well past the end of the run nothing of it can follow.
        if not page or (run.ended and page[0].at > run.ended + 60):
            break
        start = page[-1].offset + 1
    return found


async def _first_since(moment: float, topic: str, partition: int, first: int, end: int, store: Store) -> int:
    """The first offset of an event not older than `moment`, and a page more for events written out of order."""
    low, high = first, end
    while low < high:
        middle = (low + high) // 2
        page = await store.events(topic, partition, start=middle, limit=1)
        if page and page[0].at < moment:
            low = middle + 1
        else:
            high = middle
    return max(first, low - PAGE)
