"""The meter: how many runs of each part ended how, and how long they took."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from parti.ports.store import RunRecord, State
from parti.units import Seconds

SAMPLE: Final = 10_000
"""The latest runs of a part whose times are kept."""


@dataclass(slots=True)
class Tally:
    """Counts since the engine started, and times (seconds from taking a run up to its end) of the latest runs."""

    done: int = 0
    dead: int = 0
    first: Seconds = 0.0
    last: Seconds = 0.0
    times: deque[Seconds] = field(default_factory=lambda: deque(maxlen=SAMPLE))

    def quantile(self, share: float) -> Seconds:
        """The time that `share` (0 to 1) of the latest runs did not exceed; 0 without runs."""
        if not self.times:
            return 0.0
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def per_second(self) -> float:
        """Runs ended a second, from the first to the last."""
        span = self.last - self.first
        return (self.done + self.dead) / span if span > 0 else 0.0


class Meter:
    """A tally for each part."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}

    def add(self, record: RunRecord) -> None:
        """Count a run that ended."""
        tally = self.tallies.setdefault(record.part, Tally())
        if record.state is State.DONE:
            tally.done += 1
        else:
            tally.dead += 1
        tally.first = min(tally.first or record.started, record.started)
        tally.last = max(tally.last, record.ended)
        tally.times.append(record.ended - record.started)
