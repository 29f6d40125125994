"""The load that is offered to each station, from the traffic equations: whether it can be served at all, before simulating."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from parti.errors import PlanError
from parti.extras import need
from parti.sim.checking import check_network
from parti.sim.network import END, EVERYONE, Call, Fork, Llm, Network, Station

FINITE: Final = 1e12
"""Whoever comes back so often comes back for ever: what is more is a rounding error."""

NOTHING: Final = 1e-9
"""A ratio that is nearer to 0 is 0."""


def visit_ratios(network: Network, entries: Mapping[str, float] | None = None) -> dict[str, float]:
    """How often a request comes to each call in the mean, counting first attempts only.

    `entries` says which share enters at which call; by default all enter at the network's entry. Branches that are joined
    count once. Raises P801 and P802, and P831 where a request causes more and more of itself, so that no ratio is finite.
    """
    check_network(network)
    np = need("numpy", extra="plan", purpose="planning")
    calls = network.all_calls()
    number = {call.name: index for index, call in enumerate(calls)}
    moves = np.zeros((len(calls), len(calls)))
    for name, route in network.routes.items():
        targets = [(each, 1.0) for each in route.targets] if isinstance(route, Fork) else route.targets
        for target, share in targets:
            if target != END:
                moves[number[target], number[name]] += share / calls[number[target]].joins
    enter = np.zeros(len(calls))
    for name, share in (entries or {network.entry: 1.0}).items():
        enter[number[name]] += share
    ratios = _solved(np, moves, enter)
    endless = [call.station for call, ratio in zip(calls, ratios, strict=True) if not 0 <= ratio < FINITE]
    if endless:
        listed = ", ".join(f"`{name}`" for name in dict.fromkeys(endless))
        raise PlanError(
            "P831", f"what comes to {listed} comes back as often or more often, without end", fix="let fewer come back"
        )
    return {call.name: float(ratio) for call, ratio in zip(calls, ratios, strict=True)}


def _solved(np: Any, moves: Any, enter: Any) -> Any:
    """How often each is visited; where loops multiply what comes to them, some of it is negative or not finite.

    Ratios that rounding makes barely negative are 0.
    """
    try:
        found = np.linalg.solve(np.eye(len(enter)) - moves, enter)
    except np.linalg.LinAlgError:
        return np.full(len(enter), np.inf)
    return np.where((found < 0) & (found > -NOTHING), 0.0, found)


def offered_use(network: Network, per_second: float, entries: Mapping[str, float] | None = None) -> dict[str, float]:
    """The use that each station would need to serve everything, at best: 1 and more is unstable, its queue grows for ever.

    Batches count as full, engines as full, and failures by the share of time that replicas are up. Timeouts and retries are left
    out: they only make it worse. A rate below what comes counts as well.
    """
    ratios = visit_ratios(network, entries)
    stations = {station.name: station for station in network.stations}
    work = dict.fromkeys(stations, 0.0)
    comes = dict.fromkeys(stations, 0.0)
    for call in network.all_calls():
        rate = per_second * ratios[call.name]
        comes[call.station] += rate
        work[call.station] += rate * _seconds(call, stations[call.station])
    return {name: _use(stations[name], work[name], comes[name]) for name in stations}


def unstable(network: Network, per_second: float, entries: Mapping[str, float] | None = None) -> tuple[str, ...]:
    """The stations whose offered use is 1 or more, the worst first."""
    use = offered_use(network, per_second, entries)
    return tuple(sorted((name for name in use if use[name] >= 1.0), key=lambda name: -use[name]))


def _seconds(call: Call, station: Station) -> float:
    """Server-seconds (engine-seconds of a language model) of one request at best."""
    service: Any = call.service or station.service
    if isinstance(service, Llm):
        own: Any = station.service
        reading = own.prefill_seconds + service.prompt.mean * own.prefill_seconds_per_token
        step = own.step_seconds / own.slots + own.step_seconds_per_sequence
        return float(reading + max(0.0, service.output.mean - 1.0) * step)
    batch = station.batch
    if batch is None or batch.size == 1:
        return float(service.mean)
    factors = batch.growth or (1.0,) * batch.size
    return float(service.mean * min(factor / (size + 1) for size, factor in enumerate(factors)))


def _use(station: Station, work: float, comes: float) -> float:
    servers = station.replicas if isinstance(station.service, Llm) else station.servers
    if station.failures:
        up, down = station.failures.up.mean, station.failures.down.mean
        work /= up / (up + down)
    use = work / servers if servers < EVERYONE else 0.0
    return max(use, comes / station.rate.per_second) if station.rate and not station.rate.rejects else use
