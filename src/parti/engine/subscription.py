"""A subscription: one handler reading its topic, as far ahead as its window allows."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from parti.design.handler import Handler
from parti.engine.jobs import Job
from parti.engine.watermark import Watermark
from parti.journal.identity import run_of_event
from parti.ports.store import Event, RunRecord, Store

PAGE: Final = 256
"""Events read at once."""

SET_ASIDE_MAX: Final = 200_000
"""Runs of one handler that may wait for people, timers or their key at once; then it reads no further."""

Admit = Callable[[Event], None]


class Partition:
    """Where a handler stands in one partition. Events below `known` may have runs on record from an earlier process."""

    __slots__ = ("known", "number", "position", "watermark")

    def __init__(self, number: int, low: int, known: int) -> None:
        self.number = number
        self.position = low
        self.known = known
        self.watermark = Watermark(low)


class Subscription:
    """Reading is bounded: `loaded` runs (in line or at work) stay below the window, those set aside below their own."""

    def __init__(
        self,
        handler: Handler,
        partitions: list[Partition],
        store: Store,
        moved: Callable[[], None],
        rested: Callable[[], None],
    ) -> None:
        self.handler = handler
        self.partitions = {partition.number: partition for partition in partitions}
        self.window = max(2 * handler.concurrency, PAGE)
        self.runnable: deque[Job] = deque()
        self.active = 0
        self.loaded = 0
        self.aside = 0
        self.dirty: set[int] = set()
        self.news = asyncio.Event()
        self.caught_up = False
        """Whether the last look found nothing more to read."""
        self._store = store
        self._moved = moved
        self._rested = rested

    @property
    def room(self) -> int:
        """How many more events may be loaded."""
        return 0 if self.aside >= SET_ASIDE_MAX else self.window - self.loaded

    def mark(self, topic: str, partition: int, offset: int) -> None:
        """Note that the event there has a run on record. Those of a topic that was read before do not count."""
        if topic == self.handler.topic and self.partitions[partition].watermark.mark(offset):
            self.dirty.add(partition)

    def look(self) -> None:
        """There may be something to read now."""
        self.caught_up = False
        self.news.set()

    async def run(self, admit: Admit, may_read: Callable[[], Awaitable[None]]) -> None:
        """Read until cancelled; each event without a run on record is admitted, in order."""
        while True:
            await may_read()
            self.news.clear()
            if not await self._read_all(admit):
                self.caught_up = self.room > 0
                self._rested()
                await self.news.wait()

    async def _read_all(self, admit: Admit) -> bool:
        """Read a page of each partition as far as there is room; whether anything was read."""
        found = False
        for partition in self.partitions.values():
            room = min(PAGE, self.room)
            if room <= 0:
                break
            page = await self._store.events(self.handler.topic, partition.number, start=partition.position, limit=room)
            if not page:
                continue
            found = True
            recorded = await self._recorded(partition, page)
            for event in page:
                self._skip_gap(partition, event.offset)
                if event.offset in recorded:
                    self.mark(event.topic, partition.number, event.offset)
                else:
                    admit(event)
            partition.position = page[-1].offset + 1
            if self.dirty:
                self._moved()
        return found

    async def _recorded(self, partition: Partition, page: list[Event]) -> set[int]:
        """Offsets of events that an earlier process has put runs on record for."""
        if page[0].offset >= partition.known:
            return set()
        name = self.handler.name
        ids = [run_of_event(name, event.topic, event.partition, event.offset) for event in page]
        runs: list[RunRecord] = await self._store.runs_of(ids)
        return {run.offset for run in runs}

    def _skip_gap(self, partition: Partition, offset: int) -> None:
        """Events that expired before they were read count as dealt with."""
        while partition.position < offset:
            self.mark(self.handler.topic, partition.number, partition.position)
            partition.position += 1
        partition.position = offset + 1
