"""Topics: what they hold, and how far their handlers are."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.ports.store import Store
from parti.units import Seconds
from parti.verbs.target import Target

Ends = dict[tuple[str, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PartitionFacts:
    """One partition: the first offset still kept, and the offset the next event will get."""

    partition: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic: events kept, the oldest's time (seconds since 1970, 0 without any), how far behind each handler is.

    `dead` counts its dead letters. `lag` counts events that a handler has not put on record.
    """

    topic: str
    key: str
    events: int
    oldest: Seconds
    lag: dict[str, int]
    dead: int
    partitions: list[PartitionFacts]


async def topics(target: Target) -> list[TopicFacts]:
    """Every topic of the app (or, without one, of the store), each with its dead letters counted."""
    design = target.known_design
    async with target.reading() as store:
        ends, cursors = await store.ends(), await store.cursors()
        names = _names(design, ends)
        readers = _readers(design, cursors)
        return [await _facts(name, design, store, ends, cursors, readers.get(name, [])) for name in names]


def _names(design: Design | None, ends: Ends) -> list[str]:
    declared = [topic.name for topic in design.all(Topic)] if design else []
    stored = sorted({name for name, _ in ends} - set(declared))
    every = [*declared, *stored]
    return [name for name in every if not (name.endswith(".dead") and name.removesuffix(".dead") in every)]


def _readers(design: Design | None, cursors: dict[tuple[str, str, int], int]) -> dict[str, list[str]]:
    """The handlers of each topic: those declared, or those that ever read it."""
    found = {(part.topic, part.name) for part in design.all(Handler)} if design else set()
    found = found or {(topic, handler) for handler, topic, _ in cursors}
    readers: dict[str, list[str]] = {}
    for topic, handler in sorted(found):
        readers.setdefault(topic, []).append(handler)
    return readers


async def _facts(
    name: str,
    design: Design | None,
    store: Store,
    ends: Ends,
    cursors: dict[tuple[str, str, int], int],
    readers: list[str],
) -> TopicFacts:
    part = design.by_name.get(name) if design else None
    partitions = [PartitionFacts(at, *span) for (topic, at), span in sorted(ends.items()) if topic == name]
    heads = [await store.events(name, one.partition, start=one.first, limit=1) for one in partitions]
    return TopicFacts(
        topic=name,
        key=part.key if isinstance(part, Topic) else "",
        events=sum(one.end - one.first for one in partitions),
        oldest=min((head[0].at for head in heads if head), default=0.0),
        lag={
            reader: sum(
                max(0, one.end - max(one.first, cursors.get((reader, name, one.partition), 0))) for one in partitions
            )
            for reader in readers
        },
        dead=sum(end - first for (topic, _), (first, end) in ends.items() if topic == f"{name}.dead"),
        partitions=partitions,
    )
