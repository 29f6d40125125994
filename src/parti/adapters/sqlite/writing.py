"""Writing: a batch becomes a few statements in one transaction, and the chains go on only once it is on disk.

Estimate: 6 to 8 microseconds a journal row in batches of 1,000 (two thirds of it inside SQLite, where other threads
run), and one wait for the disk for a batch of any size.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from parti.adapters.chain import ZERO, Heads, Sealed, Stream, seal, seal_own
from parti.adapters.sqlite.acknowledgement import Acknowledged, AcknowledgementFile
from parti.adapters.sqlite.bulk import PARAMETERS, Insert, Statement, inserts, joined, upsert
from parti.adapters.sqlite.schema import CURSORS, MODELS, NOTES, QUESTIONS, RUNS, STREAM_BITS, STREAMS, TABLE_ROWS
from parti.adapters.sqlite.sums import plain_sum, summed
from parti.ports.clock import Clock
from parti.ports.store import Batch, Receipt, State
from parti.units import Seconds

_JOURNAL = Insert("INSERT INTO journal(seq, run, body, hash)", 4)
_EVENTS = Insert("INSERT INTO events(id, tenant, [key], payload, schema, at, cause, hash)", 8)
_STREAMS = Insert(f"INSERT INTO streams({STREAMS.listed}, sum)", 6)
_BLOBS = Insert("INSERT OR IGNORE INTO blobs(digest, body)", 2)
_RUNS = upsert("runs", RUNS.names, ["id"])
_ROWS = upsert("table_rows", TABLE_ROWS.names, ["name", "tenant", "key"])
_CURSORS = upsert("cursors", CURSORS.names, ["handler", "topic", "partition"])
_QUESTIONS = upsert("questions", QUESTIONS.names, ["id"])
_MODELS = upsert("models", MODELS.names, ["model", "version"])
_NOTES = upsert("notes", NOTES.names, ["key"])

_PLAIN: Mapping[str, str] = {state: str(state) for state in State}
"""States as exact strings, which SQLite's module binds without asking for adapters."""


class Writer:
    """The connection that writes, and where the chains end. Used by one thread at a time."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        acknowledgement: AcknowledgementFile,
        heads: Heads,
        numbers: dict[Stream, int],
        clock: Clock,
    ) -> None:
        self.acknowledgement = acknowledgement
        self._connection = connection
        self._heads = heads
        self._numbers = numbers
        self._clock = clock

    def commit(self, batch: Batch) -> Receipt:
        """Write the batch; it is on disk and acknowledged when this returns. On any error nothing was written."""
        sealed = seal(self._heads, batch, self._clock.now())
        new = self._new_numbers(sealed)
        self._apply(_statements(batch, sealed, self._numbers | new if new else self._numbers, new))
        self._numbers.update(new)
        self._adopt(sealed)
        return Receipt(self._heads.seq, [offset for offset, _ in sealed.events])

    def expire(self, topic: str, partition: int, before_offset: int, before: Seconds, limit: int) -> int:
        """Delete the oldest events; the chain of the stream then starts at the hash of the last one deleted."""
        number = self._numbers.get((topic, partition))
        if number is None or limit < 1:
            return 0
        first: int = self._one("SELECT first FROM streams WHERE number = ?", number)
        low = (number << STREAM_BITS) + first
        high = (number << STREAM_BITS) + min(before_offset, self._heads.streams[topic, partition].next, first + limit)
        young = "SELECT min(id) FROM (SELECT id, at FROM events WHERE id >= ? AND id < ?) WHERE at >= ?"
        youngest: int | None = self._one(young, low, high, before)
        high = high if youngest is None else youngest
        if high <= low:
            return 0
        base: bytes = self._one("SELECT hash FROM events WHERE id = ?", high - 1)
        first = high - (number << STREAM_BITS)
        facts = {"topic": topic, "partition": partition, "first": first, "base": base.hex()}
        sealed = seal_own(self._heads, "expire", facts, self._clock.now())
        change = "UPDATE streams SET first = ?, base = ?, sum = ? WHERE number = ?"
        row_sum = plain_sum(STREAMS, (number, topic, partition, first, base))
        self._apply(
            [
                ("DELETE FROM events WHERE id >= ? AND id < ?", (low, high)),
                (change, (first, base, row_sum, number)),
                *inserts(_JOURNAL, sealed.rows),
            ]
        )
        self._adopt(sealed)
        return high - low

    def note(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Put something that happened to the store itself in the journal."""
        sealed = seal_own(self._heads, kind, facts, self._clock.now())
        self._apply(list(inserts(_JOURNAL, sealed.rows)))
        self._adopt(sealed)

    def acknowledge(self) -> None:
        """Say outside the file how far it goes."""
        heads = self._heads
        self.acknowledgement.write(Acknowledged(heads.seq, heads.hash, heads.at, heads.events))

    def limit_pages(self, pages: int) -> None:
        """Let the file have so many pages of 4 KiB; a full disk for tests."""
        self._connection.execute(f"PRAGMA max_page_count = {int(pages)}")

    def close(self) -> None:
        """Release the file. What a reader elsewhere keeps from being copied out of the log stays safe in it."""
        try:
            self._connection.close()
        finally:
            self.acknowledgement.close()

    def _apply(self, statements: Sequence[Statement]) -> None:
        # `executemany` with one set of parameters: it does not ask for the last row's number, which `execute` does
        # at the price of giving Python's lock away once more.
        execute, change = self._connection.execute, self._connection.executemany
        if len(statements) == 1:  # a transaction by itself
            change(statements[0][0], (statements[0][1],))
            return
        execute("BEGIN IMMEDIATE")
        try:
            for text, parameters in statements:
                change(text, (parameters,))
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise

    def _adopt(self, sealed: Sealed) -> None:
        self._heads.adopt(sealed)
        self.acknowledge()

    def _new_numbers(self, sealed: Sealed) -> dict[Stream, int]:
        new = [stream for stream in sealed.streams if stream not in self._numbers]
        start = max(self._numbers.values(), default=0) + 1 if new else 0
        return {stream: start + index for index, stream in enumerate(new)}

    def _one(self, text: str, *parameters: Any) -> Any:
        row = self._connection.execute(text, parameters).fetchone()
        return None if row is None else row[0]


def _statements(
    batch: Batch, sealed: Sealed, numbers: Mapping[Stream, int], new: Mapping[Stream, int]
) -> list[Statement]:
    events = [
        ((numbers[event[:2]] << STREAM_BITS) | offset, *event[2:], head)
        for event, (offset, head) in zip(batch.events, sealed.events, strict=True)
    ]
    events.sort()  # stream by stream: neighbours fall on one page
    runs = [
        (*record[:4], _PLAIN[record[4]], *record[5:], crc32(encoded))
        for record, encoded in zip(batch.runs.values(), sealed.runs, strict=True)
    ]
    rows = [
        (*name, body, crc32(encoded))
        for (name, body), encoded in zip(batch.rows.items(), sealed.table_rows, strict=True)
        if body is not None
    ]
    deleted = [name for name, body in batch.rows.items() if body is None]
    streams = [(number, *stream, 0, ZERO) for stream, number in new.items()]
    return joined(
        [
            inserts(_STREAMS, summed(STREAMS, streams)),
            inserts(_EVENTS, events),
            inserts(_RUNS, runs),
            inserts(_ROWS, rows),
            (_deletion(deleted[start : start + _AT_ONCE]) for start in range(0, len(deleted), _AT_ONCE)),
            inserts(_CURSORS, summed(CURSORS, [(*name, next) for name, next in batch.cursors.items()])),
            inserts(_QUESTIONS, summed(QUESTIONS, batch.questions.values())),
            inserts(_BLOBS, list(batch.blobs.items())),
            inserts(_MODELS, summed(MODELS, batch.models)),
            inserts(_NOTES, summed(NOTES, list(batch.notes.items()))),
            inserts(_JOURNAL, sealed.rows),
        ]
    )


_AT_ONCE = PARAMETERS // 3


def _deletion(names: Sequence[tuple[str, str, str]]) -> Statement:
    marks = ", ".join(["(?, ?, ?)"] * len(names))
    text = f"DELETE FROM table_rows WHERE (name, tenant, [key]) IN (VALUES {marks})"
    return text, [part for name in names for part in name]
