"""The oracle: the simulation as the search uses it, each prefix of stages simulated once and kept while there is room."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from parti.extras import need
from parti.optimise.found import Limits, Point
from parti.optimise.problem import Choice, Plan, Problem, Promise
from parti.optimise.simulation import Simulation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RELAXED: Final = None
"""In the place of a choice: the stage at its best, see `Simulation.relax`."""

Prefix = tuple[Choice | None, ...]
VERDICTS_MAX: Final = 300_000
EXPLAINING: Final = 2000
Clock = Callable[[], float]


class LimitReached(Exception):
    """Time, or the number of extensions, is used up."""


class Oracle:
    """Simulations of prefixes of plans, under one seed and promise, until a limit is reached.

    A prefix is a tuple of choices, or RELAXED in their place. Its number of late requests is remembered for good (while it
    is not asked for more than `VERDICTS_MAX` others), its state only as long as the memory lasts: what was used longest ago goes
    first. Twins share both. Raises LimitReached from whatever needs a simulation.
    """

    def __init__(
        self, problem: Problem, simulation: Simulation, promise: Promise, *, seed: int, limits: Limits, clock: Clock
    ) -> None:
        self.problem, self.simulation, self.promise, self.seed = problem, simulation, promise, seed
        self.extensions = 0
        self.points: dict[Plan, Point] = {}
        self._clock, self._began = clock, clock()
        self.limits = limits
        self._until = limits.seconds, limits.extensions
        self._late: dict[Hashable, int] = {}
        self._states: OrderedDict[Hashable, Any] = OrderedDict()
        self._held = 0
        self._behaves: dict[int, Hashable] = {}
        self._root = simulation.begin(seed)
        self.requests = len(simulation.reached(self._root))
        self.allowed = promise.late_allowed(self.requests)

    @property
    def elapsed(self) -> float:
        """Seconds since the start, by the clock."""
        return self._clock() - self._began

    @contextmanager
    def part_of_the_time(self, share: float) -> Iterator[None]:
        """Inside, the limit is a share (0 to 1) of what is left until the present one."""
        before = self._until
        now = self.elapsed, self.extensions
        self._until = now[0] + share * (before[0] - now[0]), now[1] + int(share * (before[1] - now[1]))
        try:
            yield
        finally:
            self._until = before

    def allow_more(self) -> None:
        """As long again, and `EXPLAINING` extensions at most: a search that found nothing must still say why."""
        self._until = self.elapsed + self.limits.seconds, self.extensions + EXPLAINING

    def check(self) -> None:
        """Raise LimitReached if the present limit is."""
        if self.extensions >= self._until[1] or self.elapsed >= self._until[0]:
            raise LimitReached

    def state(self, prefix: Prefix) -> Any:
        """The state after a prefix, simulated or remembered."""
        if not prefix:
            return self._root
        key = self._key(prefix)
        known = self._states.get(key)
        if known is not None:
            self._states.move_to_end(key)
            return known
        before = self.state(prefix[:-1])
        self.check()
        if prefix[-1] is None:
            state = self.simulation.relax(before)
        else:
            state = self.simulation.extend(before, prefix[-1])
            self.extensions += 1
        self._keep(key, state)
        return state

    def _keep(self, key: Hashable, state: Any) -> None:
        self._states[key] = state
        self._held += self.simulation.size(state)
        while self._held > self.limits.memory and len(self._states) > 1:
            _, old = self._states.popitem(last=False)
            self._held -= self.simulation.size(old)

    def _key(self, prefix: Prefix) -> Hashable:
        return tuple(None if choice is None else tuple([option.behaves for option in choice]) for choice in prefix)

    def late(self, prefix: Prefix) -> int:
        """How many requests are certainly late after a prefix (of a whole plan: how many are)."""
        key = self._key(prefix)
        known = self._late.get(key)
        if known is None:
            known = int((self.latencies(prefix) > self.promise.seconds).sum())
            if len(self._late) >= VERDICTS_MAX:
                self._late.clear()
            self._late[key] = known
        return known

    def fits(self, prefix: Prefix) -> bool:
        """Whether the prefix leaves the promised seconds in reach."""
        return self.late(prefix) <= self.allowed

    def latencies(self, prefix: Prefix) -> NDArray[np.float64]:
        """Least latencies after a prefix, seconds; of a whole plan the latencies themselves, and the plan becomes a point."""
        state = self.state(prefix)
        if len(prefix) < len(self.problem.stages) or None in prefix:
            return self.simulation.reached(state)
        found = self.simulation.finish(state)
        plan = Plan(tuple(choice for choice in prefix if choice is not None))
        if plan not in self.points:
            self.points[plan] = self._point(plan, found)
        return found

    def taken(self, prefix: Prefix) -> float:
        """Seconds that requests have spent in the stages of a prefix, at the promised level; infinite where not all end well."""
        return quantile(self.simulation.taken(self.state(prefix)), self.promise.level)

    def point(self, plan: Plan) -> Point:
        """The plan as simulated."""
        if plan not in self.points:
            self.latencies(plan.choices)
        return self.points[plan]

    def _point(self, plan: Plan, latencies: NDArray[np.float64]) -> Point:
        late = int((latencies > self.promise.seconds).sum())
        return Point(plan, plan.cost, self.problem.quality_of(plan), quantile(latencies, self.promise.level), late)


def quantile(latencies: NDArray[np.float64], level: float) -> float:
    """The latency that the share `level` of the requests keeps, by nearest rank; NaN without requests."""
    np = need("numpy", extra="plan", purpose="planning")
    count = len(latencies)
    if not count:
        return math.nan
    rank = max(0, math.ceil(level * count - 1e-9) - 1)
    return float(np.partition(latencies, rank)[rank])
