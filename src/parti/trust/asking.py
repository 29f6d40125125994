"""How often people were asked: who is asked more often than they can judge says yes to all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from parti.units import Seconds

HOUR: Final[Seconds] = 3600.0


@dataclass(slots=True)
class Asked:
    """When people were asked by gates and for approvals, so that nobody is asked more often than they can judge."""

    times: dict[str, deque[Seconds]] = field(default_factory=dict)

    def knows(self, who: str) -> bool:
        """Whether it is known when they were asked before the process started."""
        return who in self.times

    def learn(self, who: str, times: Iterable[Seconds]) -> None:
        """They were asked then, in whatever order, before the process started."""
        self.times[who] = deque(sorted(times))

    def may(self, who: str, now: Seconds, per_hour: int) -> bool:
        """Whether one more may be asked of them now; then it counts."""
        times = self.times.setdefault(who, deque())
        while times and times[0] <= now - HOUR:
            times.popleft()
        if len(times) >= per_hour:
            return False
        times.append(now)
        return True
