"""Packing: a network as the arrays that kernels read."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from parti.sim import draws
from parti.sim import layout as at
from parti.sim.compiled import np
from parti.sim.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal
from parti.sim.network import END, EVERYONE, Batch, Call, Choice, Fork, Llm, Network, Rate, Retry, Station

if TYPE_CHECKING:
    from collections.abc import Sequence

HUGE = 1 << 60
Cells = tuple[list[int], list[float]]


class Arrays:
    """Two arrays of one length that grow object by object."""

    def __init__(self) -> None:
        self.ints: list[int] = [0] * at.HEADER
        self.reals: list[float] = [0.0] * at.HEADER
        self._known: dict[Distribution, int] = {}

    def put(self, ints: Sequence[int] = (), reals: Sequence[float] = (), cells: int = 0) -> int:
        """An object of these cells, of at least `cells`; gives where it lies."""
        where, size = len(self.ints), max(len(ints), len(reals), cells)
        self.ints += [*ints, *[0] * (size - len(ints))]
        self.reals += [*reals, *[0.0] * (size - len(reals))]
        return where

    def distribution(self, distribution: Distribution | None) -> int:
        """Where `distribution` lies, each only once; -1 for None."""
        if distribution is None:
            return -1
        if distribution not in self._known:
            kind, first, second = _numbers(distribution)
            quantiles = distribution.quantiles if isinstance(distribution, Empirical) else ()
            self._known[distribution] = self.put((kind, len(quantiles)), (first, second, *quantiles))
        return self._known[distribution]


def _numbers(distribution: Distribution) -> tuple[int, float, float]:
    match distribution:
        case Constant(mean):
            return draws.CONSTANT, mean, 0.0
        case Exponential(mean):
            return draws.EXPONENTIAL, mean, 0.0
        case Lognormal(mean, cv):
            variance = math.log1p(cv * cv)
            return draws.LOGNORMAL, math.log(mean) - 0.5 * variance, math.sqrt(variance)
        case Gamma(mean, cv):
            return draws.GAMMA, 1.0 / (cv * cv), mean * cv * cv
        case Empirical():
            return draws.EMPIRICAL, 0.0, 0.0


@dataclass(frozen=True, slots=True)
class Packed:
    """A network as arrays, and where its stations and calls lie."""

    ints: Any
    reals: Any
    stations: tuple[int, ...]
    calls: tuple[int, ...]

    def within(self, inside: Sequence[int], *, window: tuple[float, float], parts: bool) -> Packed:
        """A copy in which only calls of the stations number `inside` are part of the stage."""
        ints, reals = self.ints.copy(), self.reals.copy()
        chosen = {self.stations[number] for number in inside}
        within = [call for call in self.calls if ints[call + at.OF] in chosen]
        for call in self.calls:
            ints[call + at.INSIDE] = int(ints[call + at.OF] in chosen)
        joins = [call for call in within if ints[call + at.JOINS] > 1]
        for column, call in enumerate(within):
            ints[call + at.COLUMN] = column
        for column, call in enumerate(joins, len(within)):
            ints[call + at.JOIN] = column
        ints[at.JOINED], ints[at.HELD] = len(within), len(within) + len(joins)
        wide = int(ints[at.HELD])
        forks = ints[at.VIA] >= 0
        ints[at.VIA], ints[at.WIDTH] = (wide, wide + len(within)) if forks else (-1, wide)
        reals[at.FROM], reals[at.UNTIL] = window
        ints[at.PARTED] = parts
        return replace(self, ints=ints, reals=reals)


def pack(network: Network, seed: int, ranks: Sequence[int]) -> Packed:
    """The network as arrays, its draws bound to `seed`. `ranks` orders what happens at one instant: by the stages."""
    arrays = Arrays()
    calls, by_name = network.all_calls(), {station.name: station for station in network.stations}
    stations = {
        station.name: _station(station, seed, rank, arrays)
        for station, rank in zip(network.stations, ranks, strict=True)
    }
    first = len(arrays.ints)
    places = {call.name: first + number * at.CALL for number, call in enumerate(calls)} | {END: at.END_CALL}
    for _ in calls:
        arrays.put(cells=at.CALL)
    for call in calls:
        arrays.ints[places[call.name] + at.LIMIT] = -1
    _limits(network, places, arrays)
    for number, call in enumerate(calls):
        ints, growth = _call(call, by_name[call.station], network, places, arrays)
        ints[at.OF], ints[at.NUMBER] = stations[call.station], number
        ints[at.CALL_KEY] = _signed(draws.key_of(seed, "call " + call.name))
        where = places[call.name]
        arrays.ints[where : where + at.CALL] = ints
        arrays.reals[where + at.PROMPT_GROWTH] = growth
    _header(network, tuple(stations.values()), ranks, arrays)
    arrays.ints[at.CALLS] = first
    return Packed(
        np.array(arrays.ints, np.int64), np.array(arrays.reals), tuple(stations.values()),
        tuple(places[call.name] for call in calls),
    )  # fmt: skip


def _signed(key: int) -> int:
    return key - (1 << 64) if key >> 63 else key


def _header(network: Network, stations: tuple[int, ...], ranks: Sequence[int], arrays: Arrays) -> None:
    ints, calls = arrays.ints, len(network.all_calls())
    forks = any(isinstance(route, Fork) for route in network.routes.values())
    ints[at.STATION_COUNT], ints[at.CALL_COUNT], ints[at.VISITS_MAX] = len(stations), calls, network.visits_max
    ints[at.LIMIT_COUNT] = len(network.limits)
    ints[at.VIA] = 0 if forks else -1
    ints[at.STATIONS] = stations[0]
    by_rank = sorted(zip(ranks, stations, strict=True))
    ints[at.RANKS] = arrays.put([station for _, station in by_rank])


def _limits(network: Network, places: dict[str, int], arrays: Arrays) -> None:
    arrays.ints[at.LIMITS] = len(arrays.ints)
    for limit in network.limits:
        where = arrays.put([0, -1, -1, limit.slots, 0])
        for name in limit.calls:
            arrays.ints[places[name] + at.LIMIT] = where


def _station(station: Station, seed: int, rank: int, arrays: Arrays) -> int:
    batch = station.batch or Batch(1)
    rate = station.rate or Rate(math.inf)
    retry = station.retry or Retry()
    failures, cold = station.failures, station.cold
    llm = _llm(None, station)
    size = 1 if llm.slots else batch.size
    numbers = [
        min(station.servers, EVERYONE),
        size,
        HUGE if station.room is None else station.room,
        arrays.put(reals=(size > 1 and batch.growth) or (1.0,) * size),
        0 if station.rate is None else 2 if rate.rejects else 1,
        retry.attempts,
        int(retry.cancel) * (1 if retry.stop else 2),
        how(station),
        llm.slots or station.concurrency,
        station.replicas,
        int(failures is not None and failures.loses),
        arrays.distribution(failures.up if failures else None),
        arrays.distribution(failures.down if failures else None),
        arrays.distribution(cold.seconds if cold else None),
        -1,
        rank,
        _signed(draws.key_of(seed, "station " + station.name)),
    ]
    interval = 1.0 / rate.per_second
    from_arrival, from_begin = (math.inf, retry.timeout) if retry.begun else (retry.timeout, math.inf)
    floats = [batch.linger, interval, interval * (rate.burst - 1), from_arrival, retry.backoff, retry.factor]
    floats += [retry.longest, retry.jitter, cold.idle if cold else math.inf, llm.prefill_seconds]
    floats += [llm.prefill_seconds_per_token, llm.step_seconds, llm.step_seconds_per_sequence]
    floats += [0.0, 0.0, from_begin, retry.failing]
    return arrays.put(numbers, floats, at.STATION)


def how(station: Station) -> int:
    """How a station serves: with an engine, by servers that fail or are cold, in batches, or plainly."""
    if isinstance(station.service, Llm):
        return at.ENGINE
    if station.failures or station.cold:
        return at.FRAGILE
    batch = station.batch
    return at.BATCHES if batch and batch.size > 1 else at.PLAIN


def _llm(call: Call | None, station: Station) -> Llm:
    """What an engine station reads and writes for a call; one without slots for any other station."""
    service = (call.service if call else None) or station.service
    return service if isinstance(service, Llm) else Llm(0)


def _call(call: Call, station: Station, network: Network, places: dict[str, int], arrays: Arrays) -> tuple[list[int], float]:  # fmt: skip
    service = call.service or station.service
    llm = service if isinstance(service, Llm) else None
    plain = None if isinstance(service, Llm) else service
    route = network.routes.get(call.name, Choice(((END, 1.0),)))
    if isinstance(route, Fork):
        kind, targets = at.FORK, [(places[name], 1.0) for name in route.targets]
    else:
        targets = _cumulative([(places[name], share) for name, share in route.targets if share > 0])
        kind = at.ONE if len(targets) == 1 else at.CHOICE
    begin = arrays.put([target for target, _ in targets], [upto for _, upto in targets])
    drawn = [arrays.distribution(each) for each in (plain, llm.prompt if llm else None, llm.output if llm else None)]
    limit = arrays.ints[places[call.name] + at.LIMIT]
    return [0, call.joins, -1, kind, begin, len(targets), limit, *drawn, 1, 0, 0, 0], llm.prompt_growth if llm else 0.0


def _cumulative(targets: list[tuple[int, float]]) -> list[tuple[int, float]]:
    upto, made = 0.0, []
    for target, share in targets:
        upto += share
        made.append((target, upto))
    made[-1] = (made[-1][0], 1.0)
    return made
