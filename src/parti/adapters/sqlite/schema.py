"""The tables of a store file, format 2, and how connections to it are made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from parti.adapters.sqlite.columns import USES
from parti.adapters.sqlite.modes import make_private
from parti.adapters.sqlite.sums import plain_sum
from parti.errors import StoreError

FORMAT: Final = 2
APPLICATION: Final = 0x50415254  # "PART" in the file's header
STREAM_BITS: Final = 40
"""An event's row number is its stream's number shifted by so many bits, plus its offset."""


_FIRST: Final = """
CREATE TABLE meta([key] TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE journal(seq INTEGER PRIMARY KEY, run TEXT NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE INDEX journal_by_run ON journal(run);
CREATE TABLE streams(number INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  first INTEGER NOT NULL, base BLOB NOT NULL, sum INTEGER NOT NULL, UNIQUE (topic, partition)) STRICT;
CREATE TABLE events(id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, [key] TEXT NOT NULL, payload BLOB NOT NULL,
  schema TEXT NOT NULL, at REAL NOT NULL, cause TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE runs(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, part TEXT NOT NULL, tenant TEXT NOT NULL,
  [key] TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  [offset] INTEGER NOT NULL, arguments BLOB NOT NULL, result BLOB NOT NULL, error BLOB NOT NULL,
  created REAL NOT NULL, started REAL NOT NULL, ended REAL NOT NULL, wake REAL NOT NULL, busy REAL NOT NULL,
  code TEXT NOT NULL, sum INTEGER NOT NULL) STRICT;
CREATE INDEX runs_by_time ON runs(created);
CREATE INDEX runs_by_part ON runs(part, created);
CREATE INDEX runs_not_done ON runs(state, created) WHERE state <> 'done';
CREATE TABLE table_rows(name TEXT NOT NULL, tenant TEXT NOT NULL, [key] TEXT NOT NULL, body BLOB NOT NULL,
  sum INTEGER NOT NULL, PRIMARY KEY (name, tenant, [key])) STRICT, WITHOUT ROWID;
CREATE TABLE cursors(handler TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
  sum INTEGER NOT NULL, PRIMARY KEY (handler, topic, partition)) STRICT, WITHOUT ROWID;
CREATE TABLE questions(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run TEXT NOT NULL, who TEXT NOT NULL,
  text TEXT NOT NULL, schema BLOB NOT NULL, asked REAL NOT NULL, deadline REAL NOT NULL, state TEXT NOT NULL,
  answer BLOB NOT NULL, [by] TEXT NOT NULL, answered REAL NOT NULL, sum INTEGER NOT NULL) STRICT;
CREATE INDEX questions_by_state ON questions(state, who);
CREATE TABLE blobs(number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, body BLOB NOT NULL) STRICT;
CREATE TABLE models(number INTEGER PRIMARY KEY, model TEXT NOT NULL, version INTEGER NOT NULL, blob TEXT NOT NULL,
  metrics BLOB NOT NULL, about BLOB NOT NULL, code TEXT NOT NULL, created REAL NOT NULL, sum INTEGER NOT NULL,
  UNIQUE (model, version)) STRICT;
CREATE TABLE notes([key] TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

_SECOND: Final = """
CREATE TABLE uses(kind TEXT NOT NULL, owner TEXT NOT NULL, digest TEXT NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (kind, owner, digest)) STRICT, WITHOUT ROWID;
CREATE INDEX uses_by_digest ON uses(digest);
CREATE INDEX questions_by_run ON questions(run);
CREATE INDEX runs_by_key ON runs(tenant, [key], created) WHERE [key] <> '';
"""

_FORMATS: Final = (_FIRST, _SECOND)
"""What each format adds to the one before it. Format 2: which records refer to which blobs, the questions of
a run, and the runs of a key."""


def connect_writing(path: Path, *, max_pages: int) -> sqlite3.Connection:
    """The one connection that writes; every COMMIT is on disk when it returns."""
    make_private(path)
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=5.0
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # Copying 32 MiB of the log back at a time costs fewer waits for the disk than SQLite's 4.
    connection.execute("PRAGMA wal_autocheckpoint = 8000")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("PRAGMA cache_size = -65536")
    if max_pages:
        connection.execute(f"PRAGMA max_page_count = {int(max_pages)}")
    return connection


def connect_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, beside a writer or alone."""
    where = f"file:{quote(str(path.resolve()))}?mode=ro"
    try:
        return _opened(where)
    except sqlite3.OperationalError:
        if Path(f"{path}-wal").exists():
            raise
        return _opened(where + "&immutable=1")  # a folder in which no index of the log can be made


def _opened(where: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        where, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=5.0
    )
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def create(connection: sqlite3.Connection, *, format: int = FORMAT) -> None:
    """Lay out a new store, all or nothing."""
    with transaction(connection):
        for tables in _FORMATS[:format]:
            _lay_out(connection, tables)
        connection.execute("INSERT INTO meta VALUES ('format', ?)", (format,))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring a store of an older format up to this one, all or nothing. Does nothing to one of this format."""
    before = format_of(connection)
    if before == FORMAT:
        return
    with transaction(connection):
        for tables in _FORMATS[before:]:
            _lay_out(connection, tables)
        blobs = connection.execute("SELECT digest FROM blobs").fetchall() if before < 2 else []
        for (digest,) in blobs:
            use = ("kept", "", digest)  # nobody knows any more who refers to it
            connection.execute("INSERT INTO uses VALUES (?, ?, ?, ?)", (*use, plain_sum(USES, use)))
        connection.execute("UPDATE meta SET value = ? WHERE [key] = 'format'", (FORMAT,))


def _lay_out(connection: sqlite3.Connection, tables: str) -> None:
    for statement in filter(str.strip, tables.split(";")):
        connection.execute(statement)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything in the block is written, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def format_of(connection: sqlite3.Connection) -> int:
    """The format of a store that `check_format` accepts."""
    format: int = connection.execute("SELECT value FROM meta WHERE [key] = 'format'").fetchone()[0]
    return format


def is_blank(connection: sqlite3.Connection) -> bool:
    """Whether nothing at all was ever laid out in the file."""
    count: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return count == 0


def check_format(connection: sqlite3.Connection, path: Path) -> None:
    """Raise P202 when the file is not a store, P203 when it is newer than this program."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION:
        raise StoreError("P202", "this is an SQLite file, but not a Parti store", place=path, fix="name another file")
    row = connection.execute("SELECT value FROM meta WHERE [key] = 'format'").fetchone()
    if row is None or not isinstance(row[0], int) or row[0] < 1:
        raise StoreError("P202", "the format of the store cannot be read", place=path, fix="restore a backup")
    if row[0] > FORMAT:
        raise StoreError(
            "P203",
            f"the store has format {row[0]}, this version of Parti reads formats up to {FORMAT}",
            place=path,
            fix="upgrade with `pip install --upgrade parti`",
        )


def layout(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    """Everything the file declares: type, name, table and SQL of each table and index."""
    rows = connection.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master")
    return {tuple(" ".join(text.split()) for text in row) for row in rows}


def expected_layout(format: int) -> set[tuple[str, ...]]:
    """What a sound file of that format declares."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        create(connection, format=format)
        return layout(connection)
    finally:
        connection.close()
