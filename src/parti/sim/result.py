"""What a simulation found: what became of every request and where its time went, and the figures of each station."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from parti.extras import need
from parti.sim.network import EVERYONE, Network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Outcome(IntEnum):
    """What became of a request. Of several branches the first that did not end well decides."""

    DONE = 0
    REJECTED = 1
    """A station had no room, or its rate was exceeded, and no attempt was left."""
    TIMED_OUT = 2
    FAILED = 3
    """A replica failed with it and no attempt was left, or it made more visits than it may."""
    UNFINISHED = 4
    """A branch never ended: it waits for others that never come."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the time of each request went, in seconds: float64 arrays of shape (calls, requests), summed over visits.

    `waiting` for a server, a slot or a limit; `batching` for others, while a server was free; `service`; and `retrying`: attempts that
    came to nothing and the pauses after them. Branches run beside each other: `critical_parts` sums along the slowest.
    """

    waiting: NDArray[np.float64]
    batching: NDArray[np.float64]
    service: NDArray[np.float64]
    retrying: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums for each station (arrays of shape (stations,)) over the window from the warm-up's end to the last arrival.

    Counts are of attempts whose service, rejection, timeout or failure fell into the window. `busy` are server-seconds in
    service (slot-seconds of an `Llm`), `queued` request-seconds in waiting; both are clipped to the window.
    """

    served: NDArray[np.int64]
    rejected: NDArray[np.int64]
    timed_out: NDArray[np.int64]
    failed: NDArray[np.int64]
    busy: NDArray[np.float64]
    queued: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulation of `network`. Arrays over requests have shape (requests,) and are in order of arrival.

    `arrived` and `left` are seconds; a request that did not end well left when its fate was decided, one that never ended has
    NaN. `outcome` holds values of `Outcome`. `parts` is None where it was not asked for. `events` counts what happened at
    stations: arrivals, starts of service and departures.
    """

    network: Network
    seed: int
    warmup: float
    arrived: NDArray[np.float64]
    left: NDArray[np.float64]
    outcome: NDArray[np.int8]
    totals: Totals
    parts: Parts | None
    via: NDArray[np.int16]
    """For each call (row) and request: the call whose branch came last and so started it; -1 at an entry. For the last
    row, one past the calls: the call that ended the request."""
    events: int

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which requests count: those that arrived after the warm-up."""
        found: NDArray[np.bool_] = self.arrived >= self.warmup
        return found

    @property
    def latency(self) -> NDArray[np.float64]:
        """Seconds from arrival to end, of counted requests that are done."""
        chosen = self.counted & (self.outcome == Outcome.DONE)
        found: NDArray[np.float64] = self.left[chosen] - self.arrived[chosen]
        return found

    def quantile(self, level: float) -> float:
        """The latency that the share `level` of all counted requests keeps, by nearest rank.

        A request that did not end well counts as later than any that did, so the answer may be infinite. NaN without requests.
        """
        np = need("numpy", extra="plan", purpose="simulation")
        chosen = self.counted
        count = int(chosen.sum())
        if not count:
            return float("nan")
        late = np.where(self.outcome[chosen] == Outcome.DONE, self.left[chosen] - self.arrived[chosen], np.inf)
        rank = min(count - 1, max(0, int(np.ceil(level * count)) - 1))
        return float(np.partition(late, rank)[rank])

    def share(self, outcome: Outcome) -> float:
        """The share of counted requests with this outcome, 0 to 1; NaN without requests."""
        chosen = self.counted
        return float((self.outcome[chosen] == outcome).mean()) if chosen.any() else float("nan")

    @property
    def window(self) -> float:
        """How many seconds the station figures cover; 0 when nothing arrived after the warm-up."""
        return max(0.0, float(self.arrived[-1]) - self.warmup) if len(self.arrived) else 0.0

    def use(self) -> dict[str, float]:
        """The mean share of each station's servers that was busy, by station; 0 for a delay station."""
        window = self.window
        return {
            station.name: float(busy) / (window * station.servers) if window and station.servers < EVERYONE else 0.0
            for station, busy in zip(self.network.stations, self.totals.busy, strict=True)
        }

    def queue(self) -> dict[str, float]:
        """How many requests waited in the mean over time, by station."""
        return self._per_second(self.totals.queued)

    def throughput(self) -> dict[str, float]:
        """How many requests each station served per second."""
        return self._per_second(self.totals.served)

    def _per_second(self, sums: NDArray[np.float64] | NDArray[np.int64]) -> dict[str, float]:
        window = self.window
        return {
            station.name: float(total) / window if window else 0.0
            for station, total in zip(self.network.stations, sums, strict=True)
        }
