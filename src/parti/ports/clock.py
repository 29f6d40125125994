"""The clock port: the time, and waiting for it."""

from __future__ import annotations

from typing import Protocol

from parti.units import Seconds


class Clock(Protocol):
    """Wall-clock time as seconds since 1970 (UTC), and a way to let it pass."""

    def now(self) -> Seconds:
        """Seconds since 1970-01-01T00:00Z. Never goes back within a process."""
        ...

    async def wait(self, duration: Seconds) -> None:
        """Return after `duration` seconds (at least one turn of the event loop)."""
        ...
