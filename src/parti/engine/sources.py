"""Sources: their events are published with the position they were read up to, so that each comes once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from parti.design.goals import Retry
from parti.design.source import Source
from parti.design.topic import Topic
from parti.engine.activation import PATIENCE
from parti.engine.context import new_event
from parti.engine.pressure import lag_of
from parti.errors import PayloadError
from parti.ports.store import NewEvent
from parti.units import duration_text

if TYPE_CHECKING:
    from parti.engine.loop import Engine

AT_ONCE: Final = 256
"""Events of a source in one commit."""

AGAIN: Final = Retry(2**62, first="1s", longest="1m")
"""How a source that failed is read on."""

HOPELESS: Final = 5
"""A source that failed so often without getting further is read on, but whoever waits for rest does not wait for it."""

END: Final = object()
log = logging.getLogger("parti")


async def pump(engine: Engine, source: Source) -> None:
    """Publish what the source yields, from where it was left, until it ends. One that fails is read on later."""
    note, attempt, before, awaited = f"position:{source.name}", 1, -1, True
    while True:
        position = await _position(engine, note)
        attempt = 1 if position > before else attempt
        try:
            await _read_on(engine, source, note, position)
        except Exception as wrong:
            attempt, before = attempt + 1, position
            wait = AGAIN.wait_before(attempt, 1.0)
            told = (source.name, await _position(engine, note), duration_text(wait), type(wrong).__name__, wrong)
            log.error("the source `%s` failed after position %d and is read on in %s: %s: %s", *told)
            if awaited and attempt >= HOPELESS:
                awaited = False
                _over(engine)
            await engine.clock.wait(wait)
        else:
            break
    if awaited:
        _over(engine)


async def _position(engine: Engine, note: str) -> int:
    stored = await engine.store.note(note)
    return int(stored) if stored else 0


def _over(engine: Engine) -> None:
    engine.sources_open -= 1
    engine.change()


async def _read_on(engine: Engine, source: Source, note: str, position: int) -> None:
    topic = engine.design.get(Topic, source.topic)
    at_once = min(AT_ONCE, topic.backlog)
    if source.per_second is not None:
        at_once = max(1, min(at_once, int(source.per_second / 10)))
    async with aclosing(_in_batches(source.read(position), at_once)) as batches:
        async for gathered in batches:
            events, misfit = _fitting(engine, topic, gathered)
            if events:
                position = await _publish(engine, topic, events, note, position)
            if misfit is not None:
                raise misfit
            if source.per_second is not None:
                await engine.clock.wait(len(events) / source.per_second)


def _fitting(engine: Engine, topic: Topic, gathered: list[Any]) -> tuple[list[NewEvent], PayloadError | None]:
    """The events up to the first that does not fit the topic, and why that does not."""
    now, events = engine.clock.now(), []
    for event in gathered:
        try:
            events.append(new_event(topic, event, "main", "", now))
        except PayloadError as misfit:
            return events, misfit
    return events, None


async def _publish(engine: Engine, topic: Topic, events: list[NewEvent], note: str, position: int) -> int:
    """Store events and the position after them in one commit; that position."""
    while lag_of(engine, topic) + len(events) > topic.backlog or not engine.commits.room:
        await engine.clock.wait(0.05)
    position += len(events)
    commits = engine.commits
    commits.batch.events.extend(events)
    commits.batch.notes[note] = str(position).encode()
    commits.touch(len(events))
    await commits.durable()
    return position


async def _in_batches(events: Any, most: int) -> AsyncGenerator[list[Any], None]:
    """What has come while the batch before was being stored: a slow source is not kept waiting for a full batch."""
    come: asyncio.Queue[Any] = asyncio.Queue(most)
    reading = asyncio.create_task(_read(events, come))
    try:
        while True:
            batch = [await come.get()]
            while len(batch) < most and not come.empty():
                batch.append(come.get_nowait())
            ended = batch[-1] is END
            if ended:
                batch.pop()
            if batch:
                yield batch
            if ended:
                await reading
                return
    finally:
        reading.cancel()
        await asyncio.wait([reading], timeout=PATIENCE)
        if reading.done() and not reading.cancelled():
            reading.exception()  # looked at: what stopped the reading is known


async def _read(events: Any, come: asyncio.Queue[Any]) -> None:
    """Put the events of a plain or asynchronous iterable into the queue, then the end."""
    try:
        await _put_all(events, come)
    except Exception:
        await come.put(END)  # what came before is published all the same
        raise
    await come.put(END)


async def _put_all(events: Any, come: asyncio.Queue[Any]) -> None:
    """Put events into the queue, and close the generator they come from, if they come from one."""
    try:
        if hasattr(events, "__aiter__"):
            async for event in events:
                await come.put(event)
        else:
            for event in events:
                await come.put(event)
    finally:
        if hasattr(events, "aclose"):
            await events.aclose()
        elif hasattr(events, "close"):
            events.close()
