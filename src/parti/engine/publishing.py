"""Publishing from outside, and storing versions of models: small commits that no run makes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic_core import from_json, to_json

from parti.design.topic import Topic
from parti.engine.calls import refuse_if_troubled
from parti.engine.context import new_event
from parti.engine.pressure import lag_of, too_much
from parti.engine.retention import note_of_time
from parti.errors import PayloadError, RunError, UsageError
from parti.journal.identity import refuse_tenant
from parti.ports.operations import Published
from parti.ports.store import ModelVersion, NewEvent, Receipt, Reveal

if TYPE_CHECKING:
    from parti.engine.loop import Engine

EVENT_MAX = 16 * 1024 * 1024
"""The largest event that is accepted, in bytes."""

PLACE_MAX = 4_000
"""Characters of the name of a place that somebody asks to see."""

NAME_MAX = 200
"""Characters of the name of who asks to see it."""


async def publish(engine: Engine, name: str, payloads: Sequence[bytes], tenant: str, idempotency_key: str) -> Published:
    """Check every payload, then store all; where they lie once they are on disk.

    A repeated key publishes nothing, also when who gave it first has given up since. Raises P310 where it was used with
    other payloads.
    """
    refuse_tenant(tenant)
    refuse_if_troubled(engine)
    topic = engine.design.get(Topic, name)
    events = [_checked(engine, topic, index, payload, tenant) for index, payload in enumerate(payloads)]
    if not idempotency_key:
        return await accept(engine, topic, events)
    note = f"published:{tenant}:{name}:{idempotency_key}"
    return await engine.see_through(_once(engine, topic, events, note, _digest(payloads)))


async def accept(engine: Engine, topic: Topic, events: list[NewEvent]) -> Published:
    """Store events that fit their topic; where they lie once they are on disk. Raises Overloaded."""
    refuse_if_troubled(engine)
    _refuse_over_backlog(engine, topic, len(events))
    return await _store(engine, topic.name, events)


async def _once(engine: Engine, topic: Topic, events: list[NewEvent], note: str, digest: str) -> Published:
    """Store events unless their note is there."""
    while note in engine.publishing:
        await asyncio.wait([engine.publishing[note]])
    engine.publishing[note] = asyncio.get_running_loop().create_future()
    try:
        earlier = await engine.store.note(note)
        if earlier is not None:
            return _as_before(topic.name, earlier, digest)
        _refuse_over_backlog(engine, topic, len(events))
        notes = engine.commits.batch.notes  # on disk together with the events, which get their offsets there
        notes[note] = to_json({"payloads": digest, "positions": []})
        made = note_of_time(engine.clock.now(), note)
        notes[made] = b"null"
        published = await _store(engine, topic.name, events)
        kept = {note: to_json({"payloads": digest, "positions": published.positions}), made: b"null"}
        engine.commits.batch.notes.update(kept)  # both again: the first may have been forgotten by now
        await engine.commits.durable()
        return published
    finally:
        engine.publishing.pop(note).set_result(None)


def _as_before(name: str, earlier: bytes, digest: str) -> Published:
    """What was answered when the key was used first. Notes of older versions hold the positions alone."""
    told = from_json(earlier)
    known = {"payloads": digest, "positions": told} if isinstance(told, list) else told
    if known["payloads"] != digest:
        raise RunError(
            "P310", f"the idempotency key was used to publish other events to `{name}`", fix="use a fresh key for these"
        )
    return Published(name, [tuple(position) for position in known["positions"]])


def _digest(payloads: Sequence[bytes]) -> str:
    """What tells publications apart; the order of names and white space do not."""
    return sha256(json.dumps([from_json(payload) for payload in payloads], sort_keys=True).encode()).hexdigest()


async def _store(engine: Engine, name: str, events: list[NewEvent]) -> Published:
    commits = engine.commits
    first = len(commits.batch.events)
    commits.batch.events.extend(events)
    engine.pending[name] = engine.pending.get(name, 0) + len(events)
    commits.then(partial(_landed, engine, name, len(events)))  # also when nobody waits for it any more
    commits.touch(len(events))
    receipt = await commits.durable()
    offsets = receipt.offsets[first : first + len(events)]
    return Published(name, [(event.partition, offset) for event, offset in zip(events, offsets, strict=True)])


def _landed(engine: Engine, name: str, count: int, _: Receipt) -> None:
    engine.pending[name] -= count


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


def _refuse_over_backlog(engine: Engine, topic: Topic, more: int) -> None:
    lag = lag_of(engine, topic)
    lag += engine.pending.get(topic.name, 0) if engine.readers.get(topic.name) else 0
    if lag + more > topic.backlog:
        raise too_much(topic, lag)


async def add_version(engine: Engine, version: ModelVersion, onnx: bytes) -> ModelVersion:
    """Store a version under the next number; it is served to runs that begin once it is on disk."""
    refuse_if_troubled(engine)
    latest = engine.services.latest.get(version.model)
    number = max(engine.numbered.get(version.model, 0), latest.version if latest else 0) + 1
    engine.numbered[version.model] = number
    numbered = version._replace(version=number)
    batch = engine.commits.batch
    batch.models.append(numbered)
    batch.blobs[numbered.blob] = onnx
    engine.commits.then(partial(_serve, engine, numbered))
    engine.commits.touch()
    await engine.commits.durable()
    return numbered


async def add_evaluation(engine: Engine, key: str, result: bytes) -> None:
    """Keep the result of an evaluation; done once it is on disk."""
    refuse_if_troubled(engine)
    engine.commits.batch.notes[key] = result
    engine.commits.touch()
    await engine.commits.durable()


async def note_reveal(engine: Engine, place: str, by: str) -> None:
    """Journal who asks to see what; done once it is on disk. Raises P504."""
    for what, text, longest in (("place", place, PLACE_MAX), ("name", by, NAME_MAX)):
        if not 0 < len(text) <= longest:
            said = f"the {what} of who is shown something has {len(text)} characters"
            raise UsageError("P504", said, fix=f"give 1 to {longest}")
    refuse_if_troubled(engine)
    engine.commits.batch.reveals.append(Reveal(place, by))
    engine.commits.touch()
    await engine.commits.durable()


def _serve(engine: Engine, version: ModelVersion, _: Receipt) -> None:
    engine.services.latest[version.model] = version
