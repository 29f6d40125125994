"""Commits: what runs leave behind is gathered into one batch while the batch before it is being written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from parti.errors import StoreFull
from parti.ports.clock import Clock
from parti.ports.store import Batch, Receipt, Store
from parti.units import Seconds

RECORDS_MAX: Final = 20_000
"""New work waits while more records than this wait for the disk."""

FULL_WAITS: Final[tuple[Seconds, ...]] = (0.1, 0.25, 0.5, 1.0, 2.0)
"""How long to wait, again and again, before a full disk is tried anew."""

After = Callable[[Receipt], None]
log = logging.getLogger("parti")


class Commits:
    """Group commit. Everything added between two commits shares one transaction and one fsync.

    `seal` is called with each batch just before it is written, to add what must be right at that moment; what it
    returns is called once the batch is on disk. A full disk delays the batch; nothing of it is lost. Any other failure
    of the store ends `run` with its error.
    """

    def __init__(self, store: Store, clock: Clock, seal: Callable[[Batch], After]) -> None:
        self._store = store
        self._clock = clock
        self._seal = seal
        self._after: list[After] = []
        self._waiting: list[asyncio.Future[Receipt]] = []
        self._wake = asyncio.Event()
        self._writing = False
        self._failure: Exception | None = None
        self.batch = Batch()
        self.records = 0
        self.number = 0
        """The number of the batch that is being gathered."""
        self.trouble = ""
        """Why nothing can be written at the moment; empty when all is well."""

    @property
    def room(self) -> bool:
        """Whether new work may start."""
        return self.records < RECORDS_MAX and not self.trouble

    @property
    def resting(self) -> bool:
        """Whether all that was added is on disk."""
        return not self._writing and not self._wake.is_set()

    def touch(self, records: int = 1) -> None:
        """Say that `records` were added to `batch`, which is to be written soon."""
        self.records += records
        if not self._wake.is_set():
            self._wake.set()

    def then(self, after: After) -> None:
        """Call `after` with the receipt once the present batch is on disk."""
        self._after.append(after)
        self.touch(0)

    def durable(self) -> asyncio.Future[Receipt]:
        """Done, with the receipt, once all that has been added so far is on disk. Who stops waiting for it disturbs nobody else."""
        durable: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        if self._failure is not None:
            _fail([durable], self._failure)
        self._waiting.append(durable)
        self.touch(0)
        return durable

    async def run(self) -> None:
        """Write batch after batch until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._writing = True
            self._after.append(self._seal(self.batch))
            batch, after, waiting = self.batch, self._after, self._waiting
            self.batch, self._after, self._waiting = Batch(), [], []
            self.records = 0
            self.number += 1
            receipt = await self._write(batch, waiting) if batch else Receipt(-1, ())
            self._writing = False
            for call in after:
                call(receipt)
            for durable in waiting:
                if not durable.done():
                    durable.set_result(receipt)

    async def _write(self, batch: Batch, waiting: list[asyncio.Future[Receipt]]) -> Receipt:
        failures = 0
        while True:
            try:
                receipt = await self._store.commit(batch)
            except StoreFull as full:
                if not self.trouble:
                    log.error("%s", full)
                self.trouble = full.what
                await self._clock.wait(FULL_WAITS[min(failures, len(FULL_WAITS) - 1)])
                failures += 1
                continue
            except Exception as wrong:
                self._failure = wrong
                _fail([*waiting, *self._waiting], wrong)
                raise
            if self.trouble:
                log.warning("the store has room again")
            self.trouble = ""
            return receipt


def _fail(waiting: list[asyncio.Future[Receipt]], error: Exception) -> None:
    """Tell those who wait; `run` raises the same error, where the engine sees it."""
    for durable in waiting:
        if not durable.done():
            durable.set_exception(error)
            durable.exception()
