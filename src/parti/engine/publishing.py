"""Publishing from outside, and storing versions of models: small commits that no run makes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic_core import from_json, to_json

from parti.design.topic import Topic
from parti.engine.calls import refuse_if_troubled
from parti.engine.context import new_event
from parti.errors import Overloaded, PayloadError
from parti.ports.operations import Published
from parti.ports.store import ModelVersion, NewEvent

if TYPE_CHECKING:
    from parti.engine.loop import Engine

EVENT_MAX = 16 * 1024 * 1024
"""The largest event that is accepted, in bytes."""


async def publish(engine: Engine, name: str, payloads: Sequence[bytes], tenant: str, idempotency_key: str) -> Published:
    """Check every payload, then store all; where they lie once they are on disk. A repeated key publishes nothing."""
    refuse_if_troubled(engine)
    topic = engine.design.get(Topic, name)
    events = [_checked(engine, topic, index, payload, tenant) for index, payload in enumerate(payloads)]
    if not idempotency_key:
        await _refuse_over_backlog(engine, topic, len(events))
        return await _store(engine, name, events)
    note = f"published:{tenant}:{name}:{idempotency_key}"
    while note in engine.publishing:
        await asyncio.shield(engine.publishing[note])
    engine.publishing[note] = asyncio.get_running_loop().create_future()
    try:
        earlier = await engine.store.note(note)
        if earlier is not None:
            return Published(name, [tuple(position) for position in from_json(earlier)])
        await _refuse_over_backlog(engine, topic, len(events))
        engine.commits.batch.notes[note] = b"[]"  # on disk together with the events, which get their offsets there
        published = await _store(engine, name, events)
        engine.commits.batch.notes[note] = to_json(published.positions)
        await engine.commits.durable()
        return published
    finally:
        engine.publishing.pop(note).set_result(None)


async def _store(engine: Engine, name: str, events: list[NewEvent]) -> Published:
    commits = engine.commits
    first = len(commits.batch.events)
    commits.batch.events.extend(events)
    engine.pending[name] = engine.pending.get(name, 0) + len(events)
    commits.touch(len(events))
    try:
        receipt = await commits.durable()
    finally:
        engine.pending[name] -= len(events)
    offsets = receipt.offsets[first : first + len(events)]
    return Published(name, [(event.partition, offset) for event, offset in zip(events, offsets, strict=True)])


def _checked(engine: Engine, topic: Topic, index: int, payload: bytes, tenant: str) -> NewEvent:
    if len(payload) > EVENT_MAX:
        raise PayloadError(
            "P404",
            f"event {index} has {len(payload)} bytes, at most {EVENT_MAX} are accepted",
            fix="store the large part elsewhere and publish where it is",
        )
    try:
        return new_event(topic, topic.payload.decode(payload), tenant, "", engine.clock.now())
    except PayloadError as wrong:
        raise PayloadError(wrong.code, f"event {index}: {wrong.what}", place=wrong.place, fix=wrong.fix) from wrong


async def _refuse_over_backlog(engine: Engine, topic: Topic, more: int) -> None:
    lag = await lag_of(engine, topic)
    lag += engine.pending.get(topic.name, 0) if engine.readers.get(topic.name) else 0
    if lag + more > topic.backlog:
        raise Overloaded(
            "P503",
            f"`{topic.name}` has {lag} events that its slowest handler has not taken up; it holds {topic.backlog}",
            place=topic.place,
            fix="wait, make the handler faster, or raise backlog=",
            retry_after=5.0,
        )


async def lag_of(engine: Engine, topic: Topic) -> int:
    """How many events of the topic its slowest handler has not put on record."""
    readers = engine.readers.get(topic.name)
    if not readers:
        return 0
    ends = await engine.store.ends()
    return max(
        sum(
            ends.get((topic.name, number), (0, 0))[1] - partition.watermark.low
            for number, partition in subscription.partitions.items()
        )
        for subscription in readers
    )


async def add_version(engine: Engine, version: ModelVersion, onnx: bytes) -> ModelVersion:
    """Store a version under the next number; it is served to runs that begin from now on."""
    refuse_if_troubled(engine)
    latest = engine.services.latest.get(version.model)
    numbered = version._replace(version=latest.version + 1 if latest else 1)
    batch = engine.commits.batch
    batch.models.append(numbered)
    batch.blobs[numbered.blob] = onnx
    engine.services.latest[version.model] = numbered
    engine.commits.touch()
    await engine.commits.durable()
    return numbered
