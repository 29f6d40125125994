"""Sharing: how many runs of one process share a commit under a load, and by how much threads and the event loop slow each other down.

Both follow from how busy everything is, which follows from both: a prediction simulates, looks, and simulates again. The cores are shared as
the system's scheduler does it, all who compute alike (processor sharing). Who else is at work is taken to be independent of
who looks: with n at work on c cores each is n / c times as slow where n is more than c.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from parti.planning.blueprint import COMMIT
from parti.sim.network import Llm, Network
from parti.sim.result import Simulated


def sharing(network: Network, run: Simulated) -> float:
    """How many runs shared a commit in the mean; 1 where nobody measured commits, or none was made."""
    at = next((at for at, station in enumerate(network.stations) if station.name == COMMIT), None)
    station = None if at is None else network.stations[at]
    if at is None or station is None or isinstance(station.service, Llm) or station.service.mean <= 0:
        return 1.0
    batches = float(run.totals.busy[at]) / station.service.mean
    return max(1.0, float(run.totals.served[at]) / batches) if batches > 0 else 1.0


def slower(network: Network, run: Simulated, computing: Collection[str], cores: int) -> dict[str, float]:
    """By which factor each of the stations that compute is slower, for the cores that the others want at the same time."""
    uses, servers = run.use(), {one.name: one.servers for one in network.stations}
    found = {}
    for name in (one for one in servers if one in computing):
        others = [uses[one] for one in servers if one in computing for _ in range(servers[one] - (one == name))]
        found[name] = stretched(others, cores)
    return found


def stretched(others: Sequence[float], cores: int) -> float:
    """How many times as long one computes on so many cores, while each of the others does with its probability. O(n^2)."""
    chances = [1.0]  # of so many of them being at work
    for use in others:
        busy = min(1.0, use)
        chances = [
            (chances[at] * (1.0 - busy) if at < len(chances) else 0.0) + (chances[at - 1] * busy if at else 0.0)
            for at in range(len(chances) + 1)
        ]
    return sum(chance * max(1.0, (1 + number) / cores) for number, chance in enumerate(chances))


def between(before: Mapping[str, float], found: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Halfway from the factors before to those that were found, so that rounds do not swing to and fro."""
    return tuple((name, (before.get(name, 1.0) + factor) / 2.0) for name, factor in found.items())
