"""The clock of this machine."""

from __future__ import annotations

import asyncio
import time

from parti.units import Seconds


class SystemClock:
    """Wall-clock time that never goes back, also when the machine's clock is set back while the process runs."""

    def __init__(self) -> None:
        self._latest = 0.0

    def now(self) -> Seconds:
        """Seconds since 1970-01-01T00:00Z, at least as late as any answer before."""
        now = time.time()
        if now > self._latest:  # noqa: PLR1730 `max` takes twice as long, and this is asked twice a step
            self._latest = now
        return self._latest

    async def wait(self, duration: Seconds) -> None:
        """Return after `duration` seconds (at least one turn of the event loop)."""
        await asyncio.sleep(max(0.0, duration))
