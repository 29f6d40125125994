"""The store port in memory, with virtual time and failures on purpose: same semantics and same hashes as SQLite."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import NoReturn

from parti.adapters.audit import audit_journal, audit_stream
from parti.adapters.chain import seal
from parti.adapters.outside import digest_in, outsource
from parti.adapters.virtual.disk import Disk
from parti.errors import StoreError, StoreFull
from parti.ports.chance import Chance
from parti.ports.clock import Clock
from parti.ports.store import (
    PAGE_BYTES,
    Batch,
    Event,
    Finding,
    JournalRow,
    ModelVersion,
    QuestionRecord,
    Receipt,
    RunRecord,
    State,
)
from parti.units import Seconds

Range = tuple[Seconds, Seconds]


class WorldEnded(BaseException):
    """This incarnation of the process has crashed; nothing it still does may count."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with the disk, in virtual seconds.

    A commit takes a time drawn evenly from `latency`, or, with the probability `slow`, from `slow_latency`. In the
    periods `full` (seconds since 1970, from and until) nothing can be written.
    """

    latency: Range = (0.0, 0.0)
    slow: float = 0.0
    slow_latency: Range = (1.0, 10.0)
    full: tuple[Range, ...] = ()


NO_FAULTS = Faults()


class VirtualStore:
    """One incarnation of a store. After `crash`, `survivor` is the next one over the same disk."""

    def __init__(self, clock: Clock, chance: Chance, faults: Faults = NO_FAULTS, *, disk: Disk | None = None) -> None:
        self.disk = disk or Disk()
        self._clock = clock
        self._chance = chance
        self._faults = faults
        self._in_flight: Batch | None = None
        self._crashed = False
        self._closed = False

    def crash(self) -> None:
        """End this incarnation now. A commit in flight is applied or dropped by chance, and its caller never hears."""
        if self._crashed:
            return
        self._crashed = True
        if self._in_flight is not None and self._chance.random() < 0.5 and not self._full():
            self._write(self._in_flight)

    def survivor(self) -> VirtualStore:
        """The store as the next incarnation of the process opens it. Ends this one if it has not ended."""
        self.crash()
        return VirtualStore(self._clock, self._chance, self._faults, disk=self.disk)

    async def commit(self, batch: Batch) -> Receipt:
        """Write all of `batch`, or nothing; durable when it returns. Raises StoreFull while the disk is full."""
        disk = self._alive()
        assert self._in_flight is None, "commits do not overlap"
        self._in_flight = batch
        try:
            await self._pass_latency()
            if self._full():
                raise StoreFull(
                    "P206", "there is no room left for the store (virtual)", fix="make room; it is tried again"
                )
            offsets = self._write(batch)
        finally:
            self._in_flight = None
        return Receipt(disk.heads.seq, offsets)

    async def expire(self, topic: str, partition: int, *, before_offset: int, before: Seconds, limit: int) -> int:
        """Delete up to `limit` of the oldest events below `before_offset` that were written before `before`; how many."""
        disk = self._alive()
        content = disk.streams.get((topic, partition))
        count = 0
        for event in islice(content.events if content else (), max(0, limit)):
            if event.offset >= before_offset or event.at >= before:
                break
            count += 1
        if count:
            disk.expire((topic, partition), count, self._clock.now())
        return count

    async def forget(self, *, before: Seconds, limit: int) -> bool:
        """Delete up to `limit` runs that ended before `before`, with all that belongs to them; whether to go on."""
        return self._alive().forget(before, limit, self._clock.now())

    async def events(self, topic: str, partition: int, *, start: int, limit: int) -> list[Event]:
        """Up to `limit` events with offsets from `start` on, in order; fewer, but one, where they exceed PAGE_BYTES."""
        content = self._alive().streams.get((topic, partition))
        if content is None:
            return []
        first = max(0, start - content.start.next)
        page: list[Event] = []
        size = 0
        for event in content.events[first : first + max(0, limit)]:
            payload = self._whole(event.payload)
            size += len(payload)
            if page and size > PAGE_BYTES:
                break
            page.append(event._replace(payload=payload) if payload is not event.payload else event)
        return page

    async def ends(self) -> dict[tuple[str, int], tuple[int, int]]:
        """For each topic and partition: the first offset still kept, and the offset the next event will get."""
        streams = self._alive().streams.items()
        return {name: (content.start.next, content.start.next + len(content.events)) for name, content in streams}

    async def cursors(self) -> dict[tuple[str, str, int], int]:
        """For each handler, topic and partition: the offset below which every event has a run on record."""
        return dict(self._alive().cursors)

    async def run(self, id: str) -> RunRecord | None:
        """The run of that id."""
        run = self._alive().runs.get(id)
        return None if run is None else self._whole_run(run)

    async def runs_of(self, ids: Sequence[str]) -> list[RunRecord]:
        """Those of the runs that are on record."""
        runs = self._alive().runs
        return [self._whole_run(runs[id]) for id in dict.fromkeys(ids) if id in runs]

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
        """The latest runs first: of a part, state, tenant, created from `since` until before `until`, `of` a tenant and key."""
        found = [
            run
            for run in self._alive().runs.values()
            if (not part or run.part == part)
            and (state is None or run.state == state)
            and run.created >= since
            and (not until or run.created < until)
            and (not tenant or run.tenant == tenant)
            and (of is None or (run.key != "" and (run.tenant, run.key) == of))
        ]
        found.reverse()
        found.sort(key=lambda run: -run.created)
        return [self._whole_run(run) for run in found[: max(0, limit)]]

    async def open_runs(self) -> list[RunRecord]:
        """Every run that has not ended, in the order of creation."""
        return [self._whole_run(run) for run in self._alive().runs.values() if not run.state.ended]

    async def counts(self) -> dict[tuple[str, State], int]:
        """How many runs of each part are in each state."""
        return dict(Counter((run.part, run.state) for run in self._alive().runs.values()))

    async def journal(self, run: str) -> list[JournalRow]:
        """The journal rows of a run, in order."""
        disk = self._alive()
        return [JournalRow(*disk.journal[index][:3]) for index in disk.by_run.get(run, ())]

    async def row(self, table: str, tenant: str, key: str) -> bytes | None:
        """The row of a table, as JSON."""
        row = self._alive().rows.get((table, tenant), {}).get(key)
        return None if row is None else self._whole(row)

    async def rows(self, table: str, tenant: str, *, after: str, limit: int) -> list[tuple[str, bytes]]:
        """Up to `limit` keys and rows in key order, after the key `after`."""
        found = sorted(item for item in self._alive().rows.get((table, tenant), {}).items() if item[0] > after)
        return [(key, self._whole(row)) for key, row in found[: max(0, limit)]]

    async def questions(
        self, *, who: str = "", state: str = "open", latest: bool = False, limit: int = 100
    ) -> list[QuestionRecord]:
        """Questions, oldest first, or with `latest` those first that were asked last; an empty `who` or `state` is any."""
        found = [
            question
            for question in self._alive().questions.values()
            if who in ("", question.who) and state in ("", question.state)
        ]
        found.sort(key=lambda question: question.asked)
        if latest:
            found.reverse()
        return found[: max(0, limit)]

    async def question(self, id: str) -> QuestionRecord | None:
        """The question of that id."""
        return self._alive().questions.get(id)

    async def blob(self, digest: str) -> bytes | None:
        """The bytes of that SHA-256 digest (hex)."""
        return self._alive().blobs.get(digest)

    async def models(self, model: str = "") -> list[ModelVersion]:
        """Versions of one model, or of all, oldest first."""
        return [version for version in self._alive().models.values() if model in ("", version.model)]

    async def note(self, key: str) -> bytes | None:
        """The engine's own fact of that key."""
        return self._alive().notes.get(key)

    async def notes(self, prefix: str, *, limit: int = 1_000_000) -> dict[str, bytes]:
        """The engine's own facts whose keys start with `prefix`, up to `limit` in the order of their keys."""
        found = sorted(item for item in self._alive().notes.items() if item[0].startswith(prefix))
        return dict(found[:limit])

    async def size(self) -> int:
        """Bytes of journal that were ever written (bodies of rows, also of those that were forgotten)."""
        return self._alive().heads.size

    async def verify(self) -> list[Finding]:
        """Read everything and compare it with its hashes; what is wrong, in order."""
        disk = self._alive()
        found, recorded = audit_journal(disk.journal)
        for stream, content in disk.streams.items():
            rows = ((*event[2:], head) for event, head in zip(content.events, content.hashes, strict=True))
            found += audit_stream(stream, content.start, rows, recorded)
        for digest, body in disk.blobs.items():
            if sha256(body).hexdigest() != digest:
                found.append(Finding("P205", f"blob {digest}: does not match its hash"))
        lost = sorted(use for use in disk.uses if use.digest not in disk.blobs)
        return found + [
            Finding("P204", f"blob {use.digest}, which {use.kind} {use.owner} refers to: missing") for use in lost
        ]

    async def close(self) -> None:
        """Release the store. Nothing committed is lost."""
        if not self._closed:
            self._alive()
            self._closed = True

    def _whole(self, body: bytes) -> bytes:
        """A body, or the one that it refers to."""
        digest = digest_in(body)
        return body if digest is None else self.disk.blobs[digest]

    def _whole_run(self, run: RunRecord) -> RunRecord:
        bodies = (run.arguments, run.result, run.error)
        if not any(map(digest_in, bodies)):
            return run
        arguments, result, error = map(self._whole, bodies)
        return run._replace(arguments=arguments, result=result, error=error)

    def _alive(self) -> Disk:
        if self._crashed:
            raise WorldEnded
        if self._closed:
            raise StoreError("P202", "the store is closed", fix="open it again")
        return self.disk

    async def _pass_latency(self) -> None:
        faults = self._faults
        low, high = faults.slow_latency if faults.slow and self._chance.random() < faults.slow else faults.latency
        await self._clock.wait(low + (high - low) * self._chance.random() if high > low else low)
        if self._crashed:
            await _hang()

    def _full(self) -> bool:
        now = self._clock.now()
        return any(start <= now < end for start, end in self._faults.full)

    def _write(self, batch: Batch) -> list[int]:
        outsourced = outsource(batch)
        sealed = seal(self.disk.heads, outsourced.batch, self._clock.now())
        self.disk.apply(outsourced, sealed)
        return [offset for offset, _ in sealed.events]


async def _hang() -> NoReturn:
    """What a dead process does with its answers."""
    while True:
        await asyncio.get_running_loop().create_future()
