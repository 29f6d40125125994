"""How often people were asked: who is asked more often than they can judge says yes to all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from parti.units import Seconds

HOUR: Final[Seconds] = 3600.0


@dataclass(slots=True)
class Asked:
    """When people were asked by gates of this process, so that nobody is asked more often than they can judge."""

    times: dict[str, deque[Seconds]] = field(default_factory=dict)

    def may(self, who: str, now: Seconds, per_hour: int) -> bool:
        """Whether one more may be asked of them now; then it counts."""
        times = self.times.setdefault(who, deque())
        while times and times[0] <= now - HOUR:
            times.popleft()
        if len(times) >= per_hour:
            return False
        times.append(now)
        return True
