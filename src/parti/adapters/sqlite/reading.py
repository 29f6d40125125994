"""Reading: every question of the store port, asked on a connection that cannot write.

Each takes microseconds for what an index answers, so they run where they are called; committed data alone is seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from parti.adapters.chain import read_own
from parti.adapters.outside import digest_in
from parti.adapters.sqlite.bulk import among
from parti.adapters.sqlite.columns import MODELS, QUESTIONS, RUNS
from parti.adapters.sqlite.failures import as_store_error
from parti.adapters.sqlite.schema import STREAM_BITS
from parti.errors import StoreError
from parti.ports.store import ENDED, PAGE_BYTES, Event, JournalRow, ModelVersion, QuestionRecord, RunRecord, State
from parti.units import Seconds

T = TypeVar("T")
_STATES = {str(state): state for state in State}
_OPEN = ", ".join(f"'{state}'" for state in State if state not in ENDED)
_NOT_DONE = "state <> 'done'"  # word for word what the partial index says, or it would not be used
_OF_KEY = "[key] <> '' AND tenant = ? AND [key] = ?"  # see above

_ENDS = f"""SELECT topic, partition, first, number << {STREAM_BITS},
  (SELECT max(id) FROM events WHERE id >= number << {STREAM_BITS} AND id < (number + 1) << {STREAM_BITS})
  FROM streams"""


class _Refers(Exception):
    """A record refers to a blob, and the two must be read at one moment."""


class Reader:
    """The reading half of the store port.

    A record that refers to a blob is read again together with it, in one transaction: between two questions a writer may
    have replaced the one and collected the other.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._reading = connection
        self._at_one_moment = False

    async def events(self, topic: str, partition: int, *, start: int, limit: int) -> list[Event]:
        """Up to `limit` events with offsets from `start` on, in order; fewer, but one, where they exceed PAGE_BYTES."""
        return self._consistent(lambda: self._events(topic, partition, start, limit))

    def _events(self, topic: str, partition: int, start: int, limit: int) -> list[Event]:
        text = "SELECT number FROM streams WHERE topic = ? AND partition = ?"
        found = self._ask(text, (topic, partition))
        if not found:
            return []
        low = found[0][0] << STREAM_BITS
        rows = self._ask(
            "SELECT id, tenant, [key], payload, schema, at, cause FROM events WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (low + max(0, start), low + (1 << STREAM_BITS), max(0, limit)),
        )
        events = [Event(topic, partition, row[0] - low, *row[1:]) for row in rows]
        return self._page(events) if any(digest_in(event.payload) for event in events) else events

    def _page(self, events: list[Event]) -> list[Event]:
        """The first of the events, whole, as far as their payloads together stay below PAGE_BYTES."""
        page: list[Event] = []
        size = 0
        for event in events:
            whole = event._replace(payload=self._whole(event.payload))
            size += len(whole.payload)
            if page and size > PAGE_BYTES:
                break
            page.append(whole)
        return page

    def _whole(self, body: bytes) -> bytes:
        """A body, or the one that it refers to."""
        digest = digest_in(body)
        if digest is None:
            return body
        if not self._at_one_moment:
            raise _Refers
        whole = self._value("SELECT body FROM blobs WHERE digest = ?", digest)
        if whole is None:
            raise StoreError(
                "P205", f"the blob {digest} is missing", place=self.path, fix="run `parti verify`, restore a backup"
            )
        return whole

    async def ends(self) -> dict[tuple[str, int], tuple[int, int]]:
        """For each topic and partition: the first offset still kept, and the offset the next event will get."""
        return {
            (topic, partition): (first, first if last is None else last - low + 1)
            for topic, partition, first, low, last in self._ask(_ENDS)
        }

    async def cursors(self) -> dict[tuple[str, str, int], int]:
        """For each handler, topic and partition: the offset below which every event has a run on record."""
        return {tuple(row[:3]): row[3] for row in self._ask("SELECT handler, topic, partition, next FROM cursors")}

    async def run(self, id: str) -> RunRecord | None:
        """The run of that id."""
        found = self._runs("WHERE id = ?", (id,))
        return found[0] if found else None

    async def runs_of(self, ids: Sequence[str]) -> list[RunRecord]:
        """Those of the runs that are on record."""
        return [run for marks, part in among(ids) for run in self._runs(f"WHERE id IN {marks}", part)]

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
        wanted: list[tuple[str, Any]] = []
        if part:
            wanted.append(("part = ?", part))
        if state is not None:
            wanted.append(("state = ?" if state is State.DONE else f"state = ? AND {_NOT_DONE}", str(state)))
        if since:
            wanted.append(("created >= ?", since))
        if until:
            wanted.append(("created < ?", until))
        if tenant:
            wanted.append(("tenant = ?", tenant))
        where = "WHERE " + " AND ".join(text for text, _ in wanted) if wanted else ""
        values = [value for _, value in wanted]
        if of is not None:
            where = f"{where} AND {_OF_KEY}" if where else f"WHERE {_OF_KEY}"
            values += of
        return self._runs(f"{where} ORDER BY created DESC, number DESC LIMIT ?", [*values, max(0, limit)])

    async def open_runs(self) -> list[RunRecord]:
        """Every run that has not ended, in the order of creation."""
        return self._runs(f"WHERE state IN ({_OPEN}) AND {_NOT_DONE} ORDER BY number")

    async def counts(self) -> dict[tuple[str, State], int]:
        """How many runs of each part are in each state: about 50 ms for each million of runs."""
        all = dict(self._ask("SELECT part, count(*) FROM runs GROUP BY part"))
        found = self._ask(f"SELECT part, state, count(*) FROM runs WHERE {_NOT_DONE} GROUP BY part, state")
        counts = {(part, _STATES[state]): count for part, state, count in found}
        for part, _, count in found:
            all[part] -= count
        return counts | {(part, State.DONE): count for part, count in all.items() if count}

    async def journal(self, run: str) -> list[JournalRow]:
        """The journal rows of a run, in order."""
        return [
            JournalRow(*row)
            for row in self._ask("SELECT seq, run, body FROM journal WHERE run = ? ORDER BY seq", (run,))
        ]

    async def row(self, table: str, tenant: str, key: str) -> bytes | None:
        """The row of a table, as JSON."""
        text = "SELECT body FROM table_rows WHERE name = ? AND tenant = ? AND [key] = ?"

        def read() -> bytes | None:
            body = self._value(text, table, tenant, key)
            return None if body is None else self._whole(body)

        return self._consistent(read)

    async def rows(self, table: str, tenant: str, *, after: str, limit: int) -> list[tuple[str, bytes]]:
        """Up to `limit` keys and rows in key order, after the key `after`."""
        text = "SELECT [key], body FROM table_rows WHERE name = ? AND tenant = ? AND [key] > ? ORDER BY [key] LIMIT ?"
        values = (table, tenant, after, max(0, limit))
        return self._consistent(lambda: [(key, self._whole(body)) for key, body in self._ask(text, values)])

    async def questions(
        self, *, who: str = "", state: str = "open", latest: bool = False, limit: int = 100
    ) -> list[QuestionRecord]:
        """Questions, oldest first, or with `latest` those first that were asked last; an empty `who` or `state` is any."""
        wanted = [(text, value) for text, value in (("state = ?", state), ("who = ?", who)) if value]
        where = "WHERE " + " AND ".join(text for text, _ in wanted) if wanted else ""
        order = "asked DESC, number DESC" if latest else "asked, number"
        text = f"SELECT {QUESTIONS.listed} FROM questions {where} ORDER BY {order} LIMIT ?"
        return [QuestionRecord(*row) for row in self._ask(text, [*(value for _, value in wanted), max(0, limit)])]

    async def question(self, id: str) -> QuestionRecord | None:
        """The question of that id."""
        found = self._ask(f"SELECT {QUESTIONS.listed} FROM questions WHERE id = ?", (id,))
        return QuestionRecord(*found[0]) if found else None

    async def blob(self, digest: str) -> bytes | None:
        """The bytes of that SHA-256 digest (hex)."""
        return self._value("SELECT body FROM blobs WHERE digest = ?", digest)

    async def models(self, model: str = "") -> list[ModelVersion]:
        """Versions of one model, or of all, oldest first."""
        where, values = ("WHERE model = ?", (model,)) if model else ("", ())
        found = self._ask(f"SELECT {MODELS.listed} FROM models {where} ORDER BY number", values)
        return [ModelVersion(*row) for row in found]

    async def note(self, key: str) -> bytes | None:
        """The engine's own fact of that key."""
        return self._value("SELECT body FROM notes WHERE [key] = ?", key)

    async def notes(self, prefix: str, *, limit: int = 1_000_000) -> dict[str, bytes]:
        """The engine's own facts whose keys start with `prefix`, up to `limit` in the order of their keys."""
        text = "SELECT [key], body FROM notes WHERE [key] >= ? AND substr([key], 1, ?) = ? ORDER BY [key] LIMIT ?"
        return dict(self._ask(text, (prefix, len(prefix), prefix, limit)))

    async def size(self) -> int:
        """Bytes of journal that were ever written (bodies of rows, also of those that were forgotten)."""
        body = self._value("SELECT body FROM journal ORDER BY seq DESC LIMIT 1")
        if body is None:
            return 0
        try:
            return int(read_own(body)[1]["bytes"]) + len(body)
        except (ValueError, TypeError) as wrong:
            raise StoreError(
                "P205", "the last record of the journal cannot be read", place=self.path, fix="run `parti verify`"
            ) from wrong

    def _runs(self, rest: str, values: Sequence[Any] = ()) -> list[RunRecord]:
        text = f"SELECT {RUNS.listed} FROM runs {rest}"
        return self._consistent(lambda: [self._run(row) for row in self._ask(text, values)])

    def _run(self, row: Sequence[Any]) -> RunRecord:
        return RunRecord._make((*row[:4], _STATES[row[4]], *row[5:9], *map(self._whole, row[9:12]), *row[12:]))

    def _consistent(self, read: Callable[[], T]) -> T:
        """What `read` returns: at once, or in one transaction where records refer to blobs."""
        try:
            return read()
        except _Refers:
            pass
        self._ask("BEGIN")
        self._at_one_moment = True
        try:
            return read()
        finally:
            self._at_one_moment = False
            self._ask("COMMIT")

    def _value(self, text: str, *values: Any) -> bytes | None:
        found = self._ask(text, values)
        return found[0][0] if found else None

    def _ask(self, text: str, values: Sequence[Any] = ()) -> list[Any]:
        # Every row is fetched at once: a statement left open would keep the log from being copied back.
        try:
            return self._reading.execute(text, values).fetchall()
        except sqlite3.Error as wrong:
            raise as_store_error(wrong, self.path) from wrong
