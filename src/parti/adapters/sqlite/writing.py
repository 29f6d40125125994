"""Writing: a batch becomes a few statements in one transaction, and the chains go on only once it is on disk.

Estimate: 6 to 8 microseconds a journal row in batches of 1,000 (two thirds of it inside SQLite, where other threads
run), and one wait for the disk for a batch of any size.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

from parti.adapters.chain import ZERO, Heads, Sealed, Stream, seal, seal_own
from parti.adapters.outside import Outsourced, outsource, row_owner
from parti.adapters.sqlite.acknowledgement import Acknowledged, AcknowledgementFile
from parti.adapters.sqlite.bulk import PARAMETERS, Insert, Statement, inserts, joined, upsert
from parti.adapters.sqlite.columns import CURSORS, MODELS, NOTES, QUESTIONS, RUNS, STREAMS, TABLE_ROWS, USES
from parti.adapters.sqlite.schema import STREAM_BITS
from parti.adapters.sqlite.sums import summed
from parti.ports.clock import Clock
from parti.ports.store import Batch, Receipt, State

JOURNAL = Insert("INSERT INTO journal(seq, run, body, hash)", 4)
_EVENTS = Insert("INSERT INTO events(id, tenant, [key], payload, schema, at, cause, hash)", 8)
_STREAMS = Insert(f"INSERT INTO streams({STREAMS.listed}, sum)", 6)
_BLOBS = Insert("INSERT OR IGNORE INTO blobs(digest, body)", 2)
_RUNS = upsert("runs", RUNS.names, ["id"])
_ROWS = upsert("table_rows", TABLE_ROWS.names, ["name", "tenant", "key"])
_CURSORS = upsert("cursors", CURSORS.names, ["handler", "topic", "partition"])
_QUESTIONS = upsert("questions", QUESTIONS.names, ["id"])
_MODELS = upsert("models", MODELS.names, ["model", "version"])
_NOTES = upsert("notes", NOTES.names, ["key"])
_USES = Insert(f"INSERT OR IGNORE INTO uses({USES.listed}, sum)", 4)

_UNUSED = "DELETE FROM blobs WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM uses WHERE uses.digest = blobs.digest)"

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
        self.connection = connection
        self.heads = heads
        self.numbers = numbers
        self.clock = clock
        self._large_rows: dict[str, str] = {}
        """The blob of each row that lies outside its table, by the row's name among users."""

    def commit(self, batch: Batch) -> Receipt:
        """Write the batch; it is on disk and acknowledged when this returns. On any error nothing was written."""
        outsourced = outsource(batch)
        sealed = seal(self.heads, outsourced.batch, self.clock.now())
        new = self._new_numbers(sealed)
        rows = self._row_uses(outsourced)
        statements = _statements(outsourced.batch, sealed, self.numbers | new if new else self.numbers, new)
        self.apply(statements + _use_statements(outsourced, sealed, rows))
        self.numbers.update(new)
        for owner, (_, digest) in rows.items():
            if digest:
                self._large_rows[owner] = digest
            else:
                self._large_rows.pop(owner, None)
        self.adopt(sealed)
        return Receipt(self.heads.seq, [offset for offset, _ in sealed.events])

    def _row_uses(self, outsourced: Outsourced) -> dict[str, tuple[str, str]]:
        """For each row of the batch that lies, or lay, outside: the blob that it had, and the one it has now ("": none)."""
        fresh = {use.owner: use.digest for use in outsourced.uses if use.kind == "row"}
        known = self._large_rows
        if known:
            fresh = {owner: "" for place in outsourced.batch.rows if (owner := row_owner(place)) in known} | fresh
        return {owner: (known.get(owner, ""), digest) for owner, digest in fresh.items()}

    def load(self) -> None:
        """Learn which rows lie outside their table. Called once the layout is there."""
        text = "SELECT owner, digest FROM uses WHERE kind = 'row'"
        self._large_rows = dict(self.connection.execute(text).fetchall())

    def note(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Put something that happened to the store itself in the journal."""
        sealed = seal_own(self.heads, kind, facts, self.clock.now())
        self.apply(list(inserts(JOURNAL, sealed.rows)))
        self.adopt(sealed)

    def acknowledge(self) -> None:
        """Say outside the file how far it goes."""
        heads = self.heads
        self.acknowledgement.write(Acknowledged(heads.seq, heads.hash, heads.at, heads.events))

    def limit_pages(self, pages: int) -> None:
        """Let the file have so many pages of 4 KiB; a full disk for tests."""
        self.connection.execute(f"PRAGMA max_page_count = {int(pages)}")

    def close(self) -> None:
        """Release the file. What a reader elsewhere keeps from being copied out of the log stays safe in it."""
        try:
            self.connection.close()
        finally:
            self.acknowledgement.close()

    def apply(self, statements: Sequence[Statement]) -> None:
        """Make all of the statements, or none, durable."""
        # `executemany` with one set of parameters: it does not ask for the last row's number, which `execute` does
        # at the price of giving Python's lock away once more.
        execute, change = self.connection.execute, self.connection.executemany
        if len(statements) == 1:  # a transaction by itself
            change(statements[0][0], (statements[0][1],))
            return
        execute("BEGIN IMMEDIATE")
        try:
            for text, parameters in statements:
                change(text, (parameters,))
            execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                execute("ROLLBACK")
            raise

    def adopt(self, sealed: Sealed) -> None:
        """Go on from what is on disk now, and acknowledge it."""
        self.heads.adopt(sealed)
        self.acknowledge()

    def _new_numbers(self, sealed: Sealed) -> dict[Stream, int]:
        new = [stream for stream in sealed.streams if stream not in self.numbers]
        start = max(self.numbers.values(), default=0) + 1 if new else 0
        return {stream: start + index for index, stream in enumerate(new)}

    def one(self, text: str, *parameters: Any) -> Any:
        """The first value of the first row; None without rows."""
        row = self.connection.execute(text, parameters).fetchone()
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
            inserts(_NOTES, summed(NOTES, [(key, body) for key, body in batch.notes.items() if body is not None])),
            (("DELETE FROM notes WHERE [key] = ?", (key,)) for key, body in batch.notes.items() if body is None),
            inserts(JOURNAL, sealed.rows),
        ]
    )


def _use_statements(outsourced: Outsourced, sealed: Sealed, rows: Mapping[str, tuple[str, str]]) -> list[Statement]:
    """Who refers to which blob from now on, and the end of blobs that nobody refers to any more."""
    if not (rows or outsourced.uses or outsourced.events):
        return []
    gone = [(owner, before) for owner, (before, after) in rows.items() if before and before != after]
    statements: list[Statement] = [
        ("DELETE FROM uses WHERE kind = 'row' AND owner = ? AND digest = ?", released) for released in gone
    ]
    statements += inserts(_USES, summed(USES, outsourced.of(sealed)))
    return statements + unused(digest for _, digest in gone)


def unused(digests: Iterable[str]) -> list[Statement]:
    """Statements that delete those of the blobs that nobody refers to."""
    return [(_UNUSED, (digest,)) for digest in dict.fromkeys(digests)]


_AT_ONCE = PARAMETERS // 3


def _deletion(names: Sequence[tuple[str, str, str]]) -> Statement:
    marks = ", ".join(["(?, ?, ?)"] * len(names))
    text = f"DELETE FROM table_rows WHERE (name, tenant, [key]) IN (VALUES {marks})"
    return text, [part for name in names for part in name]
