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

FEW: Final = 64
"""So many timers that were taken back may lie in the heap whatever else does."""


class Timer:
    """A call that is to be made; `cancel` takes it back, and lets go of what it holds."""

    __slots__ = ("_timers", "call")

    def __init__(self, timers: Timers, call: Callable[[], None]) -> None:
        self._timers = timers
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Make no call. Does nothing once it was made or taken back."""
        if self.call is not None:
            self.call = None
            self._timers.one_taken_back()


class Timers:
    """Calls are made at or shortly after their moment, in the order of (moment, order of adding).

    One that is taken back leaves the heap when half of it was: a timer costs O(log n), taking it back O(1) on average.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[Seconds, int, Timer]] = []
        self._added = 0
        self._taken_back = 0
        self._sooner = asyncio.Event()

    def __len__(self) -> int:
        return len(self._heap) - self._taken_back

    @property
    def held(self) -> int:
        """How many lie in the heap, those taken back included."""
        return len(self._heap)

    def at(self, moment: Seconds, call: Callable[[], None]) -> Timer:
        """Make `call` at `moment` (seconds since 1970), unless it is taken back before."""
        self._added += 1
        timer = Timer(self, call)
        heapq.heappush(self._heap, (moment, self._added, timer))
        if self._heap[0][1] == self._added:
            self._sooner.set()
        return timer

    def one_taken_back(self) -> None:
        """Count a timer that was taken back; when most were, they leave the heap."""
        self._taken_back += 1
        if self._taken_back > FEW and 2 * self._taken_back > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapq.heapify(self._heap)
            self._taken_back = 0

    async def run(self) -> None:
        """Make calls until cancelled."""
        while True:
            now = self._clock.now()
            while self._heap and self._heap[0][0] <= now:
                self._make(heapq.heappop(self._heap)[2])
            self._sooner.clear()
            if not self._heap:
                await self._sooner.wait()
            else:
                await self._wait(min(LOOK, self._heap[0][0] - now))

    def _make(self, timer: Timer) -> None:
        call, timer.call = timer.call, None
        if call is None:
            self._taken_back -= 1
        else:
            call()

    async def _wait(self, duration: Seconds) -> None:
        """Return after `duration`, or when something sooner was added."""
        try:
            async with asyncio.timeout(duration):
                await self._sooner.wait()
        except TimeoutError:
            return
