"""Opening a store: whose it is, what it is, and whether everything that was acknowledged is still there."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from parti.adapters.audit import MISMATCH, audit_end, audit_journal
from parti.adapters.chain import ZERO, Heads, Stream, StreamHead, read_own
from parti.adapters.clock import SystemClock
from parti.adapters.sqlite.acknowledgement import Acknowledged, AcknowledgementFile, read_acknowledged
from parti.adapters.sqlite.failures import told
from parti.adapters.sqlite.lock import Lock
from parti.adapters.sqlite.schema import (
    STREAM_BITS,
    check_format,
    connect_reading,
    connect_writing,
    create,
    is_blank,
    upgrade,
)
from parti.adapters.sqlite.store import SqliteStore
from parti.adapters.sqlite.writing import Writer
from parti.errors import StoreError
from parti.ports.clock import Clock
from parti.ports.store import Finding

_CHECKED = 1000
"""So many of the latest journal rows are compared with their hashes at each opening."""


@dataclass(slots=True)
class Inspection:
    """What a file holds: where its chains end, the number of each stream, and what does not match."""

    heads: Heads = field(default_factory=Heads)
    numbers: dict[Stream, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    blank: bool = True


def open_store(
    path: str | Path,
    *,
    accept_loss: bool = False,
    read_only: bool = False,
    clock: Clock | None = None,
    max_pages: int = 0,
) -> SqliteStore:
    """Open the store at `path`; for writing, make it (and its folder) where there is none.

    `accept_loss` goes on with what is left when acknowledged records are missing or damaged, and notes that in the
    journal. `read_only` needs no lock and works beside a writer. `max_pages` (of 4 KiB) bounds the file, for tests.

    Raises P201 (in use), P202 (not a store), P203 (newer), P204 (acknowledged records missing), P205 (a record does not
    match its hash), P206 (no room), P208 (nothing there to read).
    """
    path = Path(path)
    if read_only:
        return _open_reading(path)
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = Lock(path)
    try:
        with told(path):
            return _open_writing(path, lock, accept_loss, clock or SystemClock(), max_pages)
    except BaseException:
        lock.release()
        raise


def _open_reading(path: Path) -> SqliteStore:
    if not path.exists():
        raise StoreError("P208", "nothing is stored here", place=path, fix="start the system with `parti up` first")
    with told(path):
        connection = connect_reading(path)
        try:
            check_format(connection, path)
        except BaseException:
            connection.close()
            raise
        return SqliteStore(path, connection)


def _open_writing(path: Path, lock: Lock, accept_loss: bool, clock: Clock, max_pages: int) -> SqliteStore:
    acknowledged = read_acknowledged(path)
    found, loss = _inspect_file(path, acknowledged)
    if loss and not accept_loss:
        raise loss
    acknowledgement = AcknowledgementFile(path)
    if acknowledged is None and found.blank:
        acknowledgement.begin()  # before there is a store: one without an acknowledgement has lost it
    try:
        connection = connect_writing(path, max_pages=max_pages)
    except BaseException:
        acknowledgement.close()
        raise
    writer = Writer(connection, acknowledgement, found.heads, found.numbers, clock)
    try:
        if found.blank:
            create(connection)
        else:
            upgrade(connection)
        writer.load()
        if loss:
            writer.note("loss_accepted", {"code": loss.code, "what": loss.what})
        else:
            writer.acknowledge()
        return SqliteStore(path, connect_reading(path), writer, lock)
    except BaseException:
        writer.close()
        raise


def _inspect_file(path: Path, acknowledged: Acknowledged | None) -> tuple[Inspection, StoreError | None]:
    """Look without touching: a connection that cannot write leaves even a damaged log as it is."""
    if not path.exists() or path.stat().st_size == 0:
        found = Inspection()
        return found, _loss(path, found, acknowledged, None)
    connection = connect_reading(path)
    try:
        if is_blank(connection):
            found = Inspection()
        else:
            check_format(connection, path)
            found = inspect(connection)
        seq = acknowledged.seq if acknowledged and not found.blank else 0
        there = connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone() if seq else None
        return found, _loss(path, found, acknowledged, there[0] if there else None)
    except MISMATCH as wrong:
        raise StoreError(
            "P202", f"the store is damaged beyond opening: {wrong}", place=path, fix="restore a backup"
        ) from wrong
    finally:
        connection.close()


def inspect(connection: sqlite3.Connection) -> Inspection:
    """Where the chains of the file end, with the latest journal rows checked. Raises one of MISMATCH for chaos."""
    rows = connection.execute(
        "SELECT seq, run, body, hash FROM journal ORDER BY seq DESC LIMIT ?", (_CHECKED + 1,)
    ).fetchall()[::-1]
    before = rows.pop(0) if len(rows) > _CHECKED else (0, "", b"", ZERO)
    findings, recorded = audit_journal(rows, seq=before[0], head=before[3])
    numbers, streams = {}, {}
    for number, topic, partition, first, base in connection.execute(
        "SELECT number, topic, partition, first, base FROM streams"
    ).fetchall():
        low = number << STREAM_BITS
        last = connection.execute(
            "SELECT id, hash FROM events WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1",
            (low, low + (1 << STREAM_BITS)),
        ).fetchone()
        numbers[topic, partition] = number
        streams[topic, partition] = StreamHead(last[0] - low + 1, last[1]) if last else StreamHead(first, base)
    for stream in recorded.ends.keys() | streams.keys():
        findings += audit_end(stream, streams.get(stream, StreamHead(0, ZERO)), recorded)
    heads = Heads(streams=streams)
    if rows:
        heads.seq, heads.hash = rows[-1][0], rows[-1][3]
        heads.size, heads.events, heads.at = _totals(connection, rows[-1][2], streams)
    return Inspection(heads, numbers, findings, blank=False)


def _totals(connection: sqlite3.Connection, body: bytes, streams: dict[Stream, StreamHead]) -> tuple[int, int, float]:
    """Bytes of the journal, events ever appended, and when: as the last row says, or counted when it says nothing."""
    try:
        facts = read_own(body)[1]
        return int(facts["bytes"]) + len(body), int(facts["events"]), float(facts["at"])
    except MISMATCH:
        size = connection.execute("SELECT coalesce(sum(length(body)), 0) FROM journal").fetchone()[0]
        return size, sum(end.next for end in streams.values()), 0.0


def _loss(
    path: Path, found: Inspection, acknowledged: Acknowledged | None, hash_there: bytes | None
) -> StoreError | None:
    """P204 or P205 when the file is not what was acknowledged."""
    fix = "restore a backup, or open with accept_loss=True (`--accept-loss`) to go on with what is left"
    heads = found.heads
    if acknowledged is None and path.exists() and path.stat().st_size:
        what = f"{path.name}.ack is missing or unreadable, so nobody can tell whether acknowledged records are missing"
        return StoreError("P204", f"{what} after {_when(heads.at)}", place=path, fix=fix)
    if acknowledged and acknowledged.seq > heads.seq:
        records, events = acknowledged.seq - heads.seq, max(0, acknowledged.events - heads.events)
        what = (
            f"{records} acknowledged journal records ({heads.seq + 1} to {acknowledged.seq}) and {events} events are"
            f" missing: those written after {_when(heads.at)} until {_when(acknowledged.at)}"
        )
        return StoreError("P204", what, place=path, fix=fix)
    if acknowledged and acknowledged.seq and acknowledged.head != hash_there:
        what = (
            f"journal record {acknowledged.seq} is not the one that was acknowledged at {_when(acknowledged.at)}:"
            " this is another store, or an older copy that went its own way"
        )
        return StoreError("P204", what, place=path, fix=fix)
    if found.findings:
        more = f" (and {len(found.findings) - 1} more findings)" if len(found.findings) > 1 else ""
        return StoreError(found.findings[0].code, found.findings[0].what + more, place=path, fix=fix)
    return None


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds") if at else "the beginning"
