"""The store port over one SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from pathlib import Path

from parti.adapters.sqlite import deleting
from parti.adapters.sqlite.failures import told
from parti.adapters.sqlite.lock import Lock
from parti.adapters.sqlite.reading import Reader
from parti.adapters.sqlite.thread import WriterThread
from parti.adapters.sqlite.verify import verify_file
from parti.adapters.sqlite.writing import Writer
from parti.errors import StoreError
from parti.ports.store import Batch, Finding, Receipt
from parti.units import Seconds


class SqliteStore(Reader):
    """A store in one file. Made by `open_store`; without a writer it only reads."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, writer: Writer | None = None, lock: Lock | None = None
    ) -> None:
        super().__init__(path, connection)
        self._writer = writer
        self._lock = lock
        self._thread = WriterThread(path, writer.acknowledgement) if writer else None

    async def commit(self, batch: Batch) -> Receipt:
        """Write all of `batch`, or nothing; durable when it returns.

        Raises StoreFull (P206: nothing written, may be tried again), StoreError.
        """
        writer, thread = self._writing()
        return await thread.do(partial(writer.commit, batch))

    async def expire(self, topic: str, partition: int, *, before_offset: int, before: Seconds, limit: int) -> int:
        """Delete up to `limit` of the oldest events below `before_offset` that were written before `before`; how many."""
        writer, thread = self._writing()
        return await thread.do(partial(deleting.expire, writer, topic, partition, before_offset, before, limit))

    async def forget(self, *, before: Seconds, limit: int) -> bool:
        """Delete up to `limit` runs that ended before `before`, with all that belongs to them; whether to go on."""
        writer, thread = self._writing()
        return await thread.do(partial(deleting.forget, writer, before, limit))

    async def verify(self) -> list[Finding]:
        """Read everything and compare it with its hashes; what is wrong, in order. Runs on a thread of its own."""
        return await asyncio.to_thread(verify_file, self.path)

    async def close(self) -> None:
        """Finish what was begun, put everything on disk and release the file. Does nothing the second time."""
        thread, self._thread = self._thread, None
        self._reading.close()
        if thread is None or self._writer is None or self._lock is None:
            return
        try:
            await thread.do(self._writer.close)
        finally:
            thread.stop()
            self._lock.release()

    async def limit_pages(self, pages: int) -> None:
        """Let the file have so many pages of 4 KiB; a full disk, and room again, for tests."""
        writer, thread = self._writing()
        await thread.do(partial(writer.limit_pages, pages))

    def announce(self, url: str) -> None:
        """Tell whoever looks who holds the store where this process listens."""
        self._writing()
        assert self._lock is not None
        with told(self.path):
            self._lock.announce(url)

    def _writing(self) -> tuple[Writer, WriterThread]:
        if self._writer is None:
            raise StoreError("P202", "the store is open for reading only", place=self.path, fix="open it for writing")
        if self._thread is None:
            raise StoreError("P202", "the store is closed", place=self.path, fix="open it again")
        return self._writer, self._thread
