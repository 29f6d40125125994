"""The store port: one transaction for everything a run leaves behind, and ways to read it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from parti.units import Bytes, Seconds

OUTSIDE_FROM: Final[Bytes] = 64 * 1024
"""A payload, row, argument or answer larger than this is kept once, as a blob, and its record only refers to it."""

PAGE_BYTES: Final[Bytes] = 16 * 1024 * 1024
"""A page of events ends before the event whose payload would make it larger than this."""


class State(StrEnum):
    """Where a run stands. The last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    BACKOFF = "backoff"
    PARKED = "parked"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the run will not go on by itself."""
        return self in ENDED


ENDED = frozenset({State.DONE, State.DEAD, State.CANCELLED})


class Event(NamedTuple):
    """One event as stored. `schema` is the digest of the payload type it was written under; `cause` the run it came from.

    `at` is seconds since 1970. `offset` counts from 0 in each partition of a topic.
    """

    topic: str
    partition: int
    offset: int
    tenant: str
    key: str
    payload: bytes
    schema: str
    at: Seconds
    cause: str


class NewEvent(NamedTuple):
    """An event to be appended; the store gives it its offset."""

    topic: str
    partition: int
    tenant: str
    key: str
    payload: bytes
    schema: str
    at: Seconds
    cause: str


class RunRecord(NamedTuple):
    """What is known of a run. A run of an event names it by topic, partition and offset (else "", -1, -1).

    `arguments` is the JSON input of a run that no event started; `result` and `error` are JSON; times are seconds since
    1970 (`wake` and `ended` are 0 while unset). `busy` is the time at work in seconds; `code` the design's digest.
    """

    id: str
    part: str
    tenant: str
    key: str
    state: State
    attempt: int
    topic: str
    partition: int
    offset: int
    arguments: bytes
    result: bytes
    error: bytes
    created: Seconds
    started: Seconds
    ended: Seconds
    wake: Seconds
    busy: Seconds
    code: str


class QuestionRecord(NamedTuple):
    """A durable question. `schema` is the JSON schema of the answer, `answer` JSON once given; 0 is "no deadline"."""

    id: str
    run: str
    who: str
    text: str
    schema: bytes
    asked: Seconds
    deadline: Seconds
    state: str  # "open", "answered", "expired", "withdrawn"
    answer: bytes
    by: str
    answered: Seconds


class ModelVersion(NamedTuple):
    """One version of a model. `blob` names its ONNX bytes; `metrics` and `about` are JSON objects."""

    model: str
    version: int
    blob: str
    metrics: bytes
    about: bytes
    code: str
    created: Seconds


class Reveal(NamedTuple):
    """That somebody (`by`) asked to see the masked value at `place`, as parti.board.queries.places names it."""

    place: str
    by: str


class JournalRow(NamedTuple):
    """One row of the journal: a JSON array of entries of one run (`run` is "" for the store's own rows)."""

    seq: int
    run: str
    body: bytes


@dataclass(slots=True)
class Batch:
    """Everything that is committed in one transaction, in the order in which it was added.

    Maps hold the last word on each key. A row or note of None is a deletion. `notes` is a small key-value space for the
    engine's own facts (schemas, positions of sources, last ticks). `blobs` are what entries and models refer to by
    their SHA-256; large payloads, rows, arguments and results the store itself keeps as blobs. Each of `reveals` becomes a
    row of the store's own in the journal, ``["reveal", {"place", "by", "at", ...}]``, kept as long as journals of runs are.
    """

    entries: list[tuple[str, bytes]] = field(default_factory=list)
    runs: dict[str, RunRecord] = field(default_factory=dict)
    events: list[NewEvent] = field(default_factory=list)
    rows: dict[tuple[str, str, str], bytes | None] = field(default_factory=dict)
    cursors: dict[tuple[str, str, int], int] = field(default_factory=dict)
    questions: dict[str, QuestionRecord] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    models: list[ModelVersion] = field(default_factory=list)
    notes: dict[str, bytes | None] = field(default_factory=dict)
    reveals: list[Reveal] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.entries or self.runs or self.events or self.rows or self.cursors or self.questions
            or self.blobs or self.models or self.notes or self.reveals
        )  # fmt: skip


class Receipt(NamedTuple):
    """What a commit says: the journal's last sequence number, and the offset of each event in the batch's order."""

    seq: int
    offsets: Sequence[int]


class Finding(NamedTuple):
    """Something wrong in a store: a code (P204, P205), and what exactly."""

    code: str
    what: str


class Store(Protocol):
    """Durable storage for one system. Only one process writes; any may read.

    Payloads, rows, arguments, results and errors larger than OUTSIDE_FROM are kept by content, once however often they are
    stored; reads give them whole. Reads see committed data alone. `commit` calls do not overlap: the engine makes one after the other.
    """

    async def commit(self, batch: Batch) -> Receipt:
        """Write all of `batch`, or nothing; durable when it returns.

        Raises StoreFull (nothing written, may be tried again), StoreError.
        """
        ...

    async def events(self, topic: str, partition: int, *, start: int, limit: int) -> list[Event]:
        """Up to `limit` events with offsets from `start` on, in order; fewer, but one, where they exceed PAGE_BYTES."""
        ...

    async def ends(self) -> dict[tuple[str, int], tuple[int, int]]:
        """For each topic and partition: the first offset still kept, and the offset the next event will get."""
        ...

    async def expire(self, topic: str, partition: int, *, before_offset: int, before: Seconds, limit: int) -> int:
        """Delete up to `limit` of the oldest events below `before_offset` that were written before `before`; how many."""
        ...

    async def forget(self, *, before: Seconds, limit: int) -> bool:
        """Delete up to `limit` runs that ended before `before`, with their journal, questions and blobs; whether to go on.

        A run of an event stays until its handler's cursor has passed the event. Old records of the store's own go, too. The
        journal's chain says which of its records were forgotten, and still proves the rest.
        """
        ...

    async def cursors(self) -> dict[tuple[str, str, int], int]:
        """For each handler, topic and partition: the offset below which every event has a run on record."""
        ...

    async def run(self, id: str) -> RunRecord | None:
        """The run of that id."""
        ...

    async def runs_of(self, ids: Sequence[str]) -> list[RunRecord]:
        """Those of the runs that are on record."""
        ...

    async def runs(
        self,
        *,
        part: str = "",
        state: State | None = None,
        since: Seconds = 0,
        until: Seconds = 0,
        of: tuple[str, str] | None = None,
        tenant: str = "",
        limit: int = 50,
    ) -> list[RunRecord]:
        """The latest runs first, filtered by part, state, time of creation (0: no bound), tenant, and tenant and key (`of`)."""
        ...

    async def open_runs(self) -> list[RunRecord]:
        """Every run that has not ended, in the order of creation."""
        ...

    async def counts(self) -> dict[tuple[str, State], int]:
        """How many runs of each part are in each state."""
        ...

    async def journal(self, run: str) -> list[JournalRow]:
        """The journal rows of a run, in order."""
        ...

    async def row(self, table: str, tenant: str, key: str) -> bytes | None:
        """The row of a table, as JSON."""
        ...

    async def rows(self, table: str, tenant: str, *, after: str, limit: int) -> list[tuple[str, bytes]]:
        """Up to `limit` keys and rows in key order, after the key `after`."""
        ...

    async def questions(
        self, *, who: str = "", state: str = "open", latest: bool = False, limit: int = 100
    ) -> list[QuestionRecord]:
        """Questions, oldest first, or with `latest` those first that were asked last; an empty `who` or `state` is any."""
        ...

    async def question(self, id: str) -> QuestionRecord | None:
        """The question of that id."""
        ...

    async def blob(self, digest: str) -> bytes | None:
        """The bytes of that SHA-256 digest (hex)."""
        ...

    async def models(self, model: str = "") -> list[ModelVersion]:
        """Versions of one model, or of all, oldest first."""
        ...

    async def note(self, key: str) -> bytes | None:
        """The engine's own fact of that key."""
        ...

    async def notes(self, prefix: str, *, limit: int = 1_000_000) -> dict[str, bytes]:
        """The engine's own facts whose keys start with `prefix`, up to `limit` in the order of their keys."""
        ...

    async def size(self) -> int:
        """Bytes of journal that were ever written (bodies of rows, also of those that were forgotten)."""
        ...

    async def verify(self) -> list[Finding]:
        """Read everything and compare it with its hashes; what is wrong, in order."""
        ...

    async def close(self) -> None:
        """Release the store. Nothing committed is lost."""
        ...
