"""Timers: what is to be done at a moment, kept in one heap and waited for by one task."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Final

from parti.ports.clock import Clock
from parti.units import Seconds

LOOK: Final[Seconds] = 60.0
"""The longest the task sleeps: a wall clock may be set forward while it does."""


class Timers:
    """Calls are made at or shortly after their moment, in the order of (moment, order of adding)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[Seconds, int, Callable[[], None]]] = []
        self._added = 0
        self._sooner = asyncio.Event()

    def at(self, moment: Seconds, call: Callable[[], None]) -> None:
        """Make `call` at `moment` (seconds since 1970)."""
        self._added += 1
        heapq.heappush(self._heap, (moment, self._added, call))
        if self._heap[0][1] == self._added:
            self._sooner.set()

    async def run(self) -> None:
        """Make calls until cancelled."""
        while True:
            now = self._clock.now()
            while self._heap and self._heap[0][0] <= now:
                heapq.heappop(self._heap)[2]()
            self._sooner.clear()
            if not self._heap:
                await self._sooner.wait()
            else:
                await self._wait(min(LOOK, self._heap[0][0] - now))

    async def _wait(self, duration: Seconds) -> None:
        """Return after `duration`, or when something sooner was added."""
        try:
            async with asyncio.timeout(duration):
                await self._sooner.wait()
        except TimeoutError:
            return
