"""The tables of a store file, format 1, and how connections to it are made."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from parti.adapters.sqlite.modes import make_private
from parti.errors import StoreError
from parti.ports.store import ModelVersion, QuestionRecord, RunRecord

FORMAT: Final = 1
APPLICATION: Final = 0x50415254  # "PART" in the file's header
STREAM_BITS: Final = 40
"""An event's row number is its stream's number shifted by so many bits, plus its offset."""


class Columns(NamedTuple):
    """The columns of a table that keeps a record type, and which of them hold numbers with a fraction."""

    names: tuple[str, ...]
    reals: frozenset[int]

    @property
    def listed(self) -> str:
        """For SQL. Brackets never fall back to a literal, as quotes do when a name is damaged."""
        return ", ".join(f"[{name}]" for name in self.names)


def _columns(names: tuple[str, ...], *reals: str) -> Columns:
    return Columns(names, frozenset(names.index(name) for name in reals))


RUNS = _columns(RunRecord._fields, "created", "started", "ended", "wake", "busy")
QUESTIONS = _columns(QuestionRecord._fields, "asked", "deadline", "answered")
MODELS = _columns(ModelVersion._fields, "created")
TABLE_ROWS = _columns(("name", "tenant", "key", "body"))
CURSORS = _columns(("handler", "topic", "partition", "next"))
NOTES = _columns(("key", "body"))
STREAMS = _columns(("number", "topic", "partition", "first", "base"))

_DDL: Final = """
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


def create(connection: sqlite3.Connection) -> None:
    """Lay out a new store, all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in filter(str.strip, _DDL.split(";")):
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


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


def expected_layout() -> set[tuple[str, ...]]:
    """What a sound file declares."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        create(connection)
        return layout(connection)
    finally:
        connection.close()
