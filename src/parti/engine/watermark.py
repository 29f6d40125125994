"""The watermark: the offset below which every event of a partition has a run on record."""

from __future__ import annotations


class Watermark:
    """Offsets may be marked in any order; `low` rises over all that are marked without a gap."""

    __slots__ = ("_above", "low")

    def __init__(self, low: int) -> None:
        self.low = low
        self._above: set[int] = set()

    def mark(self, offset: int) -> bool:
        """Note that the event at `offset` has a run on record; whether `low` rose. Marking twice changes nothing."""
        if offset != self.low:
            if offset > self.low:
                self._above.add(offset)
            return False
        self.low += 1
        while self.low in self._above:
            self._above.remove(self.low)
            self.low += 1
        return True

    def __contains__(self, offset: int) -> bool:
        return offset < self.low or offset in self._above
