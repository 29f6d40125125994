"""Sources: their events are published with the position they were read up to, so that each comes once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from parti.design.source import Source
from parti.design.topic import Topic
from parti.engine.context import new_event
from parti.engine.publishing import lag_of

if TYPE_CHECKING:
    from parti.engine.loop import Engine

AT_ONCE: Final = 256
"""Events of a source in one commit."""


async def pump(engine: Engine, source: Source) -> None:
    """Publish what the source yields, from where it was left, until it ends."""
    topic = engine.design.get(Topic, source.topic)
    note = f"position:{source.name}"
    stored = await engine.store.note(note)
    position = int(stored) if stored else 0
    at_once = AT_ONCE if source.per_second is None else max(1, min(AT_ONCE, int(source.per_second / 10)))
    gathered: list[Any] = []
    async for event in _each(source.read(position)):
        gathered.append(event)
        if len(gathered) == at_once:
            position = await _publish(engine, topic, gathered, note, position)
            gathered = []
            if source.per_second is not None:
                await engine.clock.wait(at_once / source.per_second)
    if gathered:
        await _publish(engine, topic, gathered, note, position)
    engine.sources_open -= 1
    engine.change()


async def _publish(engine: Engine, topic: Topic, gathered: list[Any], note: str, position: int) -> int:
    """Store events and the position after them in one commit; that position."""
    while await lag_of(engine, topic) + len(gathered) > topic.backlog or not engine.commits.room:
        await engine.clock.wait(0.05)
    now = engine.clock.now()
    events = [new_event(topic, event, "main", "", now) for event in gathered]
    position += len(events)
    commits = engine.commits
    commits.batch.events.extend(events)
    commits.batch.notes[note] = str(position).encode()
    commits.touch(len(events))
    await commits.durable()
    return position


async def _each(events: Any) -> AsyncIterator[Any]:
    """The events of a plain or asynchronous iterable."""
    if hasattr(events, "__aiter__"):
        async for event in events:
            yield event
    else:
        for event in events:
            yield event
