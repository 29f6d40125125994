"""Verifying a store file: read everything and compare it with its hashes, chains, checksums and layout."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from parti.adapters.audit import MISMATCH, Recorded, audit_journal, audit_stream, mismatches
from parti.adapters.chain import StreamHead
from parti.adapters.outside import Use, digest_in, event_owner, row_owner
from parti.adapters.sqlite.acknowledgement import Acknowledged, read_acknowledged
from parti.adapters.sqlite.columns import (
    CURSORS,
    MODELS,
    NOTES,
    QUESTIONS,
    RUNS,
    STREAMS,
    TABLE_ROWS,
    USES,
    Columns,
)
from parti.adapters.sqlite.schema import STREAM_BITS, connect_reading, expected_layout, format_of, layout
from parti.adapters.sqlite.sums import plain_sum, run_sum, table_row_sum
from parti.ports.store import Finding

_Summed = Sequence[tuple[str, Columns, Callable[[Sequence[Any]], int]]]
_SUMMED: _Summed = [
    ("runs", RUNS, run_sum),
    ("table_rows", TABLE_ROWS, table_row_sum),
    ("cursors", CURSORS, partial(plain_sum, CURSORS)),
    ("questions", QUESTIONS, partial(plain_sum, QUESTIONS)),
    ("models", MODELS, partial(plain_sum, MODELS)),
    ("notes", NOTES, partial(plain_sum, NOTES)),
    ("streams", STREAMS, partial(plain_sum, STREAMS)),
]
_SUMMED_SINCE_2: _Summed = [("uses", USES, partial(plain_sum, USES))]


_LOOKS = 3


def verify_file(path: Path) -> list[Finding]:
    """Everything that is wrong with the store at `path`. Reads all of it, blocking; raises nothing for damage."""
    acknowledged = _read_acknowledged(path)  # before the snapshot, which then must hold at least as much
    try:
        connection = connect_reading(path)
    except sqlite3.Error as wrong:
        return [Finding("P202", f"the file cannot be read: {wrong}")]
    # A text that is no longer UTF-8 must become a mismatch of its own record, not the end of the reading.
    connection.text_factory = lambda content: content.decode("utf-8", "replace")
    recorded = Recorded()
    found: list[Finding] = []
    try:
        connection.execute("BEGIN")
        if acknowledged is None:
            what = f"{path.name}.ack is missing or unreadable: records at the end of the journal may be missing"
            found.append(Finding("P204", what))
        else:
            found += _readable("the acknowledgement", lambda: _acknowledged(connection, *acknowledged[:2]))
        found += _readable("the journal", lambda: _journal(connection, recorded))
        found += _readable("the events", lambda: _events(connection, recorded))
        found += _readable("the blobs", lambda: _blobs(connection))
        for table, columns, check in [*_SUMMED, *(_SUMMED_SINCE_2 if format_of(connection) > 1 else [])]:
            found += _readable(table, partial(_sums, connection, table, columns, check))
        found += _readable("the layout", lambda: _layout(connection))
        found += _readable("the pages", lambda: _pages(connection))
    except sqlite3.Error as wrong:
        found.append(Finding("P202", f"the file cannot be read: {wrong}"))
    finally:
        connection.close()
    return found


def _read_acknowledged(path: Path) -> Acknowledged | None:
    """The acknowledgement. A writer may be in the midst of putting a new one there, so one bad look proves nothing."""
    return next(filter(None, (read_acknowledged(path) for _ in range(_LOOKS))), None)


def _readable(what: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return check()
    except (sqlite3.Error, *MISMATCH) as wrong:
        return [Finding("P202", f"{what} cannot be read to the end: {wrong}")]


def _acknowledged(connection: sqlite3.Connection, seq: int, head: bytes) -> list[Finding]:
    last = connection.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
    if seq > last:
        return [Finding("P204", f"journal record {last + 1}-{seq}: acknowledged, but missing")]
    there = connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone()
    if seq and (there is None or there[0] != head):
        return [Finding("P204", f"journal record {seq}: not the one that was acknowledged")]
    return []


def _journal(connection: sqlite3.Connection, recorded: Recorded) -> list[Finding]:
    rows = connection.execute("SELECT seq, run, body, hash FROM journal ORDER BY seq")
    found, said = audit_journal(rows)
    recorded.ends, recorded.starts = said.ends, said.starts
    return found


def _events(connection: sqlite3.Connection, recorded: Recorded) -> list[Finding]:
    found: list[Finding] = []
    known = 0
    streams = connection.execute("SELECT number, topic, partition, first, base FROM streams").fetchall()
    for number, topic, partition, first, base in streams:
        low = number << STREAM_BITS
        rows = connection.execute(
            "SELECT id, tenant, [key], payload, schema, at, cause, hash FROM events WHERE id >= ? AND id < ? ORDER BY id",
            (low, low + (1 << STREAM_BITS)),
        )
        counted = _Counted((row[0] - low, *row[1:]) for row in rows)
        found += audit_stream((topic, partition), StreamHead(first, base), counted, recorded)
        known += counted.count
    for topic, partition in recorded.ends.keys() - {row[1:3] for row in streams}:
        found.append(Finding("P204", f"all events of {topic}/{partition}: missing"))
    strays = connection.execute("SELECT count(*) FROM events").fetchone()[0] - known
    if strays:
        found.append(Finding("P205", f"{strays} events belong to no stream"))
    return found


class _Counted:
    """An iterator that knows how many it gave."""

    def __init__(self, rows: Iterator[Sequence[Any]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for row in self._rows:
            self.count += 1
            yield row


def _blobs(connection: sqlite3.Connection) -> list[Finding]:
    rows = connection.execute("SELECT digest, body FROM blobs")
    found = [
        Finding("P205", f"blob {digest}: does not match its hash")
        for digest, body in rows
        if not isinstance(body, bytes) or sha256(body).hexdigest() != digest
    ]
    return found + (_lost_blobs(connection) if format_of(connection) > 1 else [])


def _lost_blobs(connection: sqlite3.Connection) -> list[Finding]:
    """Blobs that records need and that are not there, or that nothing keeps from being collected."""
    there = {row[0] for row in connection.execute("SELECT digest FROM blobs")}
    kept = {Use(*row) for row in connection.execute("SELECT kind, owner, digest FROM uses")}
    needed = dict.fromkeys([*kept, *_needed(connection)])
    lost = [use for use in needed if use.digest not in there]
    loose = [use for use in needed if use.digest in there and use not in kept]
    return [
        *(Finding("P204", f"blob {use.digest}, which {use.kind} {use.owner} refers to: missing") for use in lost),
        *(Finding("P205", f"blob {use.digest}: {use.kind} {use.owner} refers to it unnoticed") for use in loose),
    ]


def _needed(connection: sqlite3.Connection) -> Iterator[Use]:
    """What events, rows and runs refer to."""
    is_reference = "substr({0}, 1, 1) = x'00' AND length({0}) = 33"
    rows = connection.execute(
        f"""SELECT topic, partition, id & ((1 << {STREAM_BITS}) - 1), payload FROM events
        JOIN streams ON streams.number = id >> {STREAM_BITS} WHERE {is_reference.format("payload")}"""
    )
    yield from (Use("event", event_owner(*place), digest_in(body) or "") for *place, body in rows)
    rows = connection.execute(f"SELECT name, tenant, [key], body FROM table_rows WHERE {is_reference.format('body')}")
    yield from (Use("row", row_owner((name, tenant, key)), digest_in(body) or "") for name, tenant, key, body in rows)
    for column in ("arguments", "result", "error"):
        rows = connection.execute(f"SELECT id, {column} FROM runs WHERE {is_reference.format(column)}")
        yield from (Use("run", id, digest_in(body) or "") for id, body in rows)


def _sums(
    connection: sqlite3.Connection, table: str, columns: Columns, check: Callable[[Sequence[Any]], int]
) -> list[Finding]:
    wrong = []
    rows = connection.execute(f"SELECT {columns.listed}, sum FROM {table}")
    for index, (*values, stored) in enumerate(rows):
        try:
            matches = check(values) == stored
        except MISMATCH:
            matches = False
        if not matches:
            wrong.append(index)
    return mismatches(f"row of {table} in its order", wrong)


def _layout(connection: sqlite3.Connection) -> list[Finding]:
    different = layout(connection) ^ expected_layout(format_of(connection))
    return [
        Finding("P205", f"the layout of {name} is not as it was made") for name in sorted({row[1] for row in different})
    ]


def _pages(connection: sqlite3.Connection) -> list[Finding]:
    rows = connection.execute("PRAGMA integrity_check").fetchall()
    return [Finding("P205", f"SQLite: {row[0]}") for row in rows if row[0] != "ok"]
