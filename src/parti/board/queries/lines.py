"""Lines: a run and an event as lists show them, and what a whole view of them needs masked alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from parti.board.queries.masking import MASK, SHOWN_BYTES, Known, Shown, mask
from parti.board.queries.recorded import recorded
from parti.board.queries.shapes import labelled_in
from parti.board.queries.sources import (
    Raw,
    arguments_raw,
    entry_raws,
    event_key_is_masked,
    event_raw,
    json_of,
    key_is_masked,
)
from parti.design.graph import Design
from parti.design.topic import Topic
from parti.errors import RunError
from parti.journal.identity import run_of_event
from parti.ports.store import Event, RunRecord, Store
from parti.units import Bytes, Seconds

ERROR_SHOWN = 400
"""Characters of an error in a list."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list. Moments are seconds since 1970, None where unset; `error` is its code and message, masked."""

    id: str
    part: str
    tenant: str
    key: str
    key_masked: bool
    state: str
    attempt: int
    created: Seconds
    started: Seconds | None
    ended: Seconds | None
    wall_seconds: Seconds
    busy_seconds: Seconds
    topic: str
    partition: int
    offset: int
    error: str | None


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event in a list, without its payload. `at` is seconds since 1970; `cause` the run that published it, or empty."""

    topic: str
    partition: int
    offset: int
    tenant: str
    key: str
    key_masked: bool
    at: Seconds
    cause: str


@dataclass(frozen=True, slots=True)
class EventShown(EventLine):
    """An event with its payload. `old_schema` says that it was written under another type than today's."""

    payload: Shown = field(default_factory=lambda: Shown(None))
    schema_digest: str = ""
    old_schema: bool = False
    runs: tuple[RunLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorShown:
    """An error: its permanent code, what happened, where, and what to do."""

    code: str
    message: Shown
    place: str
    fix: str


def run_line(design: Design, record: RunRecord, at: Seconds, known: Known | None = None) -> RunLine:
    """A run in a list. `known` is what is masked besides; `at` is now."""
    masked = key_is_masked(design, record)
    known = known or Known()
    error = json_of(record.error) if record.error else None
    text = None
    if isinstance(error, dict):
        text = f"{error.get('code', '')} {known.in_text(str(error.get('error', '')))}"[:ERROR_SHOWN]
    return RunLine(
        id=record.id,
        part=record.part,
        tenant=record.tenant,
        key=MASK if masked and record.key else record.key,
        key_masked=masked,
        state=str(record.state),
        attempt=record.attempt,
        created=record.created,
        started=record.started or None,
        ended=record.ended or None,
        wall_seconds=max(0.0, (record.ended or at) - record.created),
        busy_seconds=record.busy,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        error=text,
    )


async def run_lines(store: Store, design: Design, records: Sequence[RunRecord], at: Seconds) -> list[RunLine]:
    """Runs in a list. Of those with an error all is read that they were given, so that what is masked there is masked in the error."""
    return [run_line(design, one, at, await known_of(store, design, one) if one.error else None) for one in records]


async def known_of(store: Store, design: Design, record: RunRecord) -> Known:
    """What the labelled fields of a run's input hold; of one with an error, of all that it read and was answered as well."""
    known = Known()
    event = await origin_of(store, record)
    raws = [event_raw(design, event) if event else None, arguments_raw(design, record)]
    if record.error:
        entries = (await recorded(store, record.id)).kept
        raws += [raw for one in entries for raw in entry_raws(design, record.id, one)]
    learn(known, [raw for raw in raws if raw])
    return known


def learn(known: Known, raws: Sequence[Raw]) -> None:
    """Learn what the labelled fields of values hold."""
    for raw in raws:
        known.learn(labelled_in(raw.value, raw.shape))


def shown(raw: Raw | None, known: Known) -> Shown | None:
    """A value as it may be shown."""
    return None if raw is None else mask(raw.value, raw.shape, raw.place, known)


def text_shown(text: str, known: Known) -> Shown:
    """A text as it may be shown."""
    return mask(text, None, "", known)


def error_shown(facts: object, known: Known) -> ErrorShown | None:
    """An error out of the journal; None where there is none."""
    if not isinstance(facts, dict):
        return None
    return ErrorShown(
        str(facts.get("code", "")),
        text_shown(str(facts.get("error", "")), known),
        str(facts.get("place", "")),
        known.in_text(str(facts.get("try", ""))),
    )


def event_line(design: Design, event: Event) -> EventLine:
    """An event in a list."""
    masked = event_key_is_masked(design, event.topic)
    key = MASK if masked else event.key
    return EventLine(event.topic, event.partition, event.offset, event.tenant, key, masked, event.at, event.cause)


def event_shown(
    design: Design,
    event: Event,
    known: Known | None = None,
    runs: tuple[RunLine, ...] = (),
    *,
    most: Bytes = SHOWN_BYTES,
) -> EventShown:
    """An event with its payload, or the first `most` characters of it."""
    line, topic, raw = event_line(design, event), design.by_name.get(event.topic), event_raw(design, event)
    old = isinstance(topic, Topic) and event.schema != topic.payload.digest
    return EventShown(
        topic=line.topic, partition=line.partition, offset=line.offset, tenant=line.tenant, key=line.key,
        key_masked=line.key_masked, at=line.at, cause=line.cause, runs=runs, schema_digest=event.schema, old_schema=old,
        payload=mask(raw.value, raw.shape, raw.place, known or Known(), most),
    )  # fmt: skip


async def origin_of(store: Store, record: RunRecord) -> Event | None:
    """The event that a run handles; None for calls and ticks, and for an event that has expired."""
    return await event_at(store, record.topic, record.partition, record.offset) if record.topic else None


async def event_at(store: Store, topic: str, partition: int, offset: int) -> Event | None:
    """One event; None where it has expired, or never was."""
    found = await store.events(topic, partition, start=offset, limit=1)
    return found[0] if found and found[0].offset == offset else None


async def known_run(store: Store, id: str) -> RunRecord:
    """The run of that id. Raises P308."""
    record = await store.run(id)
    if record is None:
        raise RunError("P308", f"there is no run {id!r}", fix="look for it in the list of runs")
    return record


def handlers_of(design: Design, event: Event, readers: Sequence[str]) -> list[str]:
    """The ids of the runs that handle an event."""
    return [run_of_event(reader, event.topic, event.partition, event.offset) for reader in readers]
