"""Topics: what each holds, how far its handlers are, and the schema that a form to publish is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.ports.store import Store
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class PartitionShown:
    """A partition: the first offset still kept, the offset the next event will get, and how many events each handler has not begun."""

    partition: int
    first: int
    end: int
    lag: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TopicShown:
    """A topic. `oldest` and `newest` are when its events were written; `dead` counts its dead letters, which lie in `dead_topic`."""

    topic: str
    about: str
    key: str
    events: int
    oldest: Seconds | None
    newest: Seconds | None
    partitions: tuple[PartitionShown, ...]
    lag: Mapping[str, int]
    dead: int
    dead_topic: str | None
    schema: Mapping[str, Any]


async def topics(store: Store, design: Design) -> tuple[TopicShown, ...]:
    """Every topic of the design but those of dead letters, in the order of declaration."""
    ends, cursors = await store.ends(), await store.cursors()
    dead = {topic.dead_letters for topic in design.all(Topic)}
    return tuple(
        [await _topic(store, design, topic, ends, cursors) for topic in design.all(Topic) if topic.name not in dead]
    )


async def _topic(
    store: Store,
    design: Design,
    topic: Topic,
    ends: Mapping[tuple[str, int], tuple[int, int]],
    cursors: Mapping[tuple[str, str, int], int],
) -> TopicShown:
    readers = [handler.name for handler in design.all(Handler) if handler.topic == topic.name]
    partitions = []
    times: list[Seconds] = []
    for (name, number), (first, end) in sorted(ends.items()):
        if name != topic.name:
            continue
        lag = {one: max(0, end - max(first, cursors.get((one, name, number), 0))) for one in readers}
        partitions.append(PartitionShown(number, first, end, lag))
        if end > first:
            times += [event.at for event in await store.events(name, number, start=first, limit=1)]
            times += [event.at for event in await store.events(name, number, start=end - 1, limit=1)]
    return TopicShown(
        topic=topic.name,
        about=topic.about,
        key=topic.key,
        events=sum(one.end - one.first for one in partitions),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        partitions=tuple(partitions),
        lag={one: sum(part.lag[one] for part in partitions) for one in readers},
        dead=sum(end - first for (name, _), (first, end) in ends.items() if name == topic.dead_letters),
        dead_topic=topic.dead_letters,
        schema=dict(topic.payload.schema),
    )
