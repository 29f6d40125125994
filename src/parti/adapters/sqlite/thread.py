"""The writer thread: one after the other, and the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from parti.adapters.sqlite.acknowledgement import DECLARED_LAG, AcknowledgementFile
from parti.adapters.sqlite.failures import as_store_error, sqlite_or_os_error
from parti.errors import StoreError

T = TypeVar("T")
_Job = tuple[Callable[[], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class WriterThread:
    """Runs jobs in order and answers on the caller's loop; puts the acknowledgement on disk when due."""

    def __init__(self, path: Path, acknowledgement: AcknowledgementFile) -> None:
        self._path = path
        self._acknowledgement = acknowledgement
        self._synced = time.monotonic()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        # A daemon: what it answered is on disk, so a process that just ends loses nothing.
        self._thread = Thread(target=self._work, name=f"parti store {path.name}", daemon=True)
        self._thread.start()
        self._stopped = False

    async def do(self, job: Callable[[], T]) -> T:
        """What `job` returns or raises, run on the thread. A caller that is cancelled does not stop its job."""
        if self._stopped:
            raise StoreError("P202", "the store is closed", place=self._path, fix="open it again")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((job, future, loop))
        return await future

    def stop(self) -> None:
        """End the thread after the jobs it was given."""
        if not self._stopped:
            self._stopped = True
            self._jobs.put(None)
            self._thread.join()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=self._until_due())
            except Empty:
                self._sync()
                continue
            if job is None:
                return
            _perform(*job, self._path)
            if self._until_due() == 0:
                self._sync()

    def _until_due(self) -> float | None:
        if not self._acknowledgement.dirty:
            return None
        return max(0.0, self._synced + DECLARED_LAG - time.monotonic())

    def _sync(self) -> None:
        self._synced = time.monotonic()
        # A failure leaves it dirty: it is tried again when next due, and closing reports it.
        with contextlib.suppress(OSError):
            self._acknowledgement.sync()


def _perform(job: Callable[[], Any], future: asyncio.Future[Any], loop: asyncio.AbstractEventLoop, path: Path) -> None:
    result: Any = None
    error: BaseException | None = None
    try:
        result = job()
    except sqlite_or_os_error as wrong:
        error = as_store_error(wrong, path)
        error.__cause__ = wrong
    except BaseException as wrong:  # whatever it is belongs to the caller, not to this thread
        error = wrong
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
