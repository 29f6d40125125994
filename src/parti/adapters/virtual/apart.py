"""Time that stands still, for replays: it is as late as the journal says, so that what was waited for is over."""

from __future__ import annotations

from parti.units import Seconds


class StoppedClock:
    """The clock port at one moment, which is `at` (seconds since 1970)."""

    def __init__(self, at: Seconds = 0.0) -> None:
        self.at = at

    def now(self) -> Seconds:
        """Always the same, in seconds since 1970."""
        return self.at

    async def wait(self, duration: Seconds) -> None:
        """Return at once."""
