"""Condensing a network into stages: what can be simulated one after the other, and what only together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from parti.sim.network import END, Llm, Network, Station


@dataclass(frozen=True, slots=True)
class Stage:
    """Stations that are simulated together (names, in the order of the network), and whether that needs the event loop.

    `bound` says whether it does whatever the stations are: they are in a loop, or under a limit.
    """

    stations: tuple[str, ...]
    events: bool
    bound: bool = False

    def served_by(self, station: Station) -> Stage:
        """The stage with another station in the place of one of its own, of the same name."""
        return replace(self, events=self.bound or needs_events(station))


def stages(network: Network) -> tuple[Stage, ...]:
    """The stages in an order in which nothing comes back. It depends on calls, routes and limits alone.

    A stage is one station, or the stations of a loop or under a common limit.
    """
    edges = _edges(network)
    by_name = {station.name: station for station in network.stations}
    limited = {call.station for call in network.all_calls() if any(call.name in each.calls for each in network.limits)}
    order = {name: number for number, name in enumerate(by_name)}
    made = []
    for group in _components(tuple(by_name), edges):
        names = tuple(sorted(group, key=order.__getitem__))
        alone = len(names) == 1 and names[0] not in edges[names[0]] and names[0] not in limited
        made.append(Stage(names, not alone or needs_events(by_name[names[0]]), not alone))
    return tuple(made)


def needs_events(station: Station) -> bool:
    """Whether only the event loop can simulate the station: it retries, gives up, fails, or is cold."""
    retry = station.retry
    tries = retry is not None and (retry.attempts > 1 or retry.timeout < 1e300)
    full = isinstance(station.service, Llm) and station.room is not None
    return bool(tries or full or station.failures or station.cold)


def _edges(network: Network) -> dict[str, set[str]]:
    """From each station to those it sends to; stations under one limit send to each other."""
    station_of = {call.name: call.station for call in network.all_calls()}
    edges: dict[str, set[str]] = {station.name: set() for station in network.stations}
    for name, route in network.routes.items():
        targets = [target if isinstance(target, str) else target[0] for target in route.targets]
        edges[station_of[name]] |= {station_of[target] for target in targets if target != END}
    for limit in network.limits:
        ring = [station_of[name] for name in limit.calls]
        for before, after in zip(ring, ring[1:] + ring[:1], strict=True):
            if before != after:
                edges[before].add(after)
    return edges


def _components(names: Sequence[str], edges: dict[str, set[str]]) -> list[set[str]]:
    """Strongly connected components, sources first (Tarjan 1972, without recursion)."""
    order = {name: number for number, name in enumerate(names)}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    made: list[set[str]] = []
    for root in reversed(names):
        if root in index:
            continue
        work = [(root, iter(sorted(edges[root], key=order.__getitem__, reverse=True)))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            name, following = work[-1]
            after = next(following, None)
            if after is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    made.append(_popped(stack, name))
            elif after not in index:
                index[after] = low[after] = len(index)
                stack.append(after)
                work.append((after, iter(sorted(edges[after], key=order.__getitem__, reverse=True))))
            elif after in stack:
                low[name] = min(low[name], index[after])
    return made[::-1]


def _popped(stack: list[str], name: str) -> set[str]:
    group: set[str] = set()
    while name not in group:
        group.add(stack.pop())
    return group
