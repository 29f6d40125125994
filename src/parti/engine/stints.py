"""Stints: the seconds that an agent may be at work, which stand still while a branch of it waits for a person or a timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from parti.units import Seconds


class Stint:
    """An agent's seconds at work. `limit` is the timeout that ends them, `left` how many there are."""

    __slots__ = ("_left", "_limit", "_now", "_waiting", "ends")

    def __init__(self, limit: asyncio.Timeout, left: Seconds, now: Callable[[], Seconds]) -> None:
        self._limit: asyncio.Timeout | None = limit
        self._left = left
        self._now = now
        self._waiting = 0
        self.ends = now() + left
        """When they are over, in seconds since 1970; infinite while they stand still."""

    def hold(self) -> None:
        """A branch begins to wait."""
        self._waiting += 1
        if self._waiting == 1:
            self._left, self.ends = self.ends - self._now(), inf
            self._reschedule(None)

    def go_on(self) -> None:
        """A branch waits no longer."""
        self._waiting -= 1
        if self._waiting == 0:
            self.ends = self._now() + self._left
            self._reschedule(asyncio.get_running_loop().time() + self._left)

    def over(self) -> None:
        """The agent has ended: branches that it left behind move nothing any more."""
        self._limit = None

    def _reschedule(self, when: float | None) -> None:
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(when)
