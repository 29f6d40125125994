"""Offsets: how far a stream of events was at a moment, found in a few reads.

Events lie in the order of their times but for the jitter of concurrent commits, and mostly evenly, so the search guesses where
a moment lies before it halves: 2 to 12 reads of one event, about 15 µs each on SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parti.ports.store import Store
from parti.units import Seconds

READS_MAX: Final = 12
"""Reads for one moment; what is left of the span is then shared out evenly."""

CLOSE: Final = 0.02
"""The search may end when what is left is that share of the distance to the end."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A partition of a topic: the first offset still kept, and the offset the next event will get."""

    topic: str
    partition: int
    first: int
    end: int


async def offset_at(store: Store, stream: Stream, moment: Seconds, *, end: int | None = None) -> int:
    """How many events the stream had up to `moment`, as an offset. `end` is an offset that is known to be later."""
    low, high = stream.first, stream.end if end is None else end
    if high <= low:
        return high
    last = await _time(store, stream, high - 1)
    if last is None or last <= moment:
        return high
    end, late, step = high, last, 16
    early: Seconds | None = None
    for _ in range(READS_MAX):
        if high - low <= int(CLOSE * (end - low)):
            break
        probe = _guess(low, high, early, late, moment) if early is not None else max(low, high - 1 - step)
        at = await _time(store, stream, probe)
        if at is None:  # expired meanwhile
            return high
        if at <= moment:
            low, early = probe + 1, at
        else:
            high, late, step = probe, at, step * 8
    if early is None or late <= early:
        return high
    return min(high, max(low, low + int((high - low) * (moment - early) / (late - early))))


def _guess(low: int, high: int, early: Seconds, late: Seconds, moment: Seconds) -> int:
    """Where the moment lies if events come evenly; never at an edge, so that each read tells something."""
    share = (moment - early) / (late - early) if late > early else 0.5
    margin = max(0, (high - low) // 16)
    return min(high - 1 - margin, max(low + margin, low + int((high - low) * share)))


async def _time(store: Store, stream: Stream, offset: int) -> Seconds | None:
    found = await store.events(stream.topic, stream.partition, start=offset, limit=1)
    return found[0].at if found else None
