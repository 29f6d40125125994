"""What a run caused: the events it published, found by their cause, and the runs that handle them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from parti.journal.identity import partition_of, run_of_event
from parti.ports.store import Event, RunRecord, Store

PAGE: Final = 512
SOUGHT_MAX: Final = 100_000
"""Events of a partition that are looked through at most; events are not indexed by their cause."""


@dataclass(frozen=True, slots=True)
class Caused:
    """An event that a run published, and the runs that handle it."""

    event: Event
    runs: list[RunRecord]


async def find_caused(run: RunRecord, published: Iterable[tuple[str, str]], store: Store) -> list[Caused]:
    """The events of `run`, which published to these topics under these keys, in the order of topic and offset."""
    places: set[tuple[str, int]] = set()
    for topic, key in published:
        partitions = await store.note(f"partitions:{topic}")
        if partitions is not None:
            places.add((topic, partition_of(run.tenant, key, int(partitions))))
    ends, cursors = await store.ends(), await store.cursors()
    found: list[Caused] = []
    for topic, partition in sorted(places & ends.keys()):
        readers = sorted({handler for handler, name, _ in cursors if name == topic})
        for event in await _events_of(run, topic, partition, *ends[topic, partition], store):
            ids = [run_of_event(reader, topic, partition, event.offset) for reader in readers]
            found.append(Caused(event, await store.runs_of(ids)))
    return found


async def _events_of(run: RunRecord, topic: str, partition: int, first: int, end: int, store: Store) -> list[Event]:
    """What a run publishes is written as it ends, and offsets follow time closely: those before are skipped by bisection at first."""
    start = await _first_since(run.ended or run.started, topic, partition, first, end, store)
    found = await _scan(run, topic, partition, start, end, store)
    return found or await _scan(run, topic, partition, first, start, store)


async def _scan(run: RunRecord, topic: str, partition: int, start: int, end: int, store: Store) -> list[Event]:
    found: list[Event] = []
    stop = min(end, start + SOUGHT_MAX)
    while start < stop:
        page = await store.events(topic, partition, start=start, limit=min(PAGE, stop - start))
        found += [event for event in page if event.cause == run.id]
        # The events of a run are written together.
        if not page or (found and page[-1].cause != run.id):
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
