"""Packing: a network as the arrays that kernels read."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from parti.sim import draws
from parti.sim import layout as at
from parti.sim.compiled import np
from parti.sim.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal
from parti.sim.network import END, EVERYONE, Batch, Call, Choice, Fork, Llm, Network, Rate, Retry, Station

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HUGE = 1 << 60
Cells = tuple[list[int], list[float]]


class Arrays:
    """Two arrays of one length that grow object by object."""

    def __init__(self) -> None:
        self.ints: list[int] = [0] * at.HEADER
        self.reals: list[float] = [0.0] * at.HEADER
        self._known: dict[Distribution, int] = {}

    def copy(self) -> Arrays:
        """The same, to which other objects can be added."""
        made = Arrays()
        made.ints, made.reals, made._known = self.ints.copy(), self.reals.copy(), self._known.copy()
        return made

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

    def copy(self) -> Packed:
        """The same in arrays of its own, for a kernel to write to."""
        return replace(self, ints=self.ints.copy(), reals=self.reals.copy())


KEPT: Final = 512
"""So many stages are kept as they were packed: a search comes back to the same few stations behind other ones."""


class Frame:
    """A network as arrays but for what its stations do, bound to the draws of a seed: calls, routes, limits, ranks.

    It depends on calls, routes and limits alone, so all extensions of a simulation share one, and pack only the stations
    of a stage. `ranks` orders what happens at one instant: by the stages. `window` is that of the figures, in seconds.
    """

    def __init__(
        self, network: Network, seed: int, ranks: Sequence[int], *, window: tuple[float, float], parts: bool
    ) -> None:
        self.names = {station.name: number for number, station in enumerate(network.stations)}
        self.stations_of_calls = tuple(call.station for call in network.all_calls())
        self._calls, self._seed = network.all_calls(), seed
        self._arrays = Arrays()
        arrays, blank = self._arrays, [0] * at.STATION
        for draw in (at.UP_DRAW, at.DOWN_DRAW, at.COLD_DRAW, at.FIRST):
            blank[draw] = -1
        self.stations = tuple(arrays.put(blank) for _ in network.stations)
        first = len(arrays.ints)
        self.places = {call.name: first + number * at.CALL for number, call in enumerate(self._calls)}
        self.calls = tuple(self.places.values())
        for _ in self._calls:
            arrays.put(cells=at.CALL)
        for where in self.calls:
            arrays.ints[where + at.LIMIT] = -1
        _limits(network, self.places, arrays)
        for number, call in enumerate(self._calls):
            ints = _call(call, network, self.places | {END: at.END_CALL}, arrays)
            ints[at.OF], ints[at.NUMBER] = self.stations[self.names[call.station]], number
            ints[at.CALL_KEY] = _signed(draws.key_of(seed, "call " + call.name))
            arrays.ints[self.calls[number] : self.calls[number] + at.CALL] = ints
        for station, rank in zip(self.stations, ranks, strict=True):
            arrays.ints[station + at.RANK] = rank
        _header(network, self.stations, ranks, arrays)
        arrays.ints[at.CALLS], arrays.ints[at.PARTED] = first, parts
        arrays.reals[at.FROM], arrays.reals[at.UNTIL] = window
        self._packed: OrderedDict[tuple[Station, ...], Packed] = OrderedDict()

    def knows(self, stations: tuple[Station, ...]) -> bool:
        """Whether just these were packed before: then nothing of them needs to be checked again."""
        return stations in self._packed

    def packed(self, stations: tuple[Station, ...]) -> Packed:
        """The network as arrays of which only these stations, and the calls of them, are part of the stage."""
        known = self._packed.get(stations)
        if known is None:
            known = self._packed[stations] = self._stage(stations)
            if len(self._packed) > KEPT:
                self._packed.popitem(last=False)
        self._packed.move_to_end(stations)
        return known.copy()

    def _stage(self, stations: tuple[Station, ...]) -> Packed:
        arrays, by_name = self._arrays.copy(), {station.name: station for station in stations}
        for station in stations:
            where = self.stations[self.names[station.name]]
            numbers, reals = _station(station, self._seed, arrays.ints[where + at.RANK], arrays)
            arrays.ints[where : where + len(numbers)] = numbers
            arrays.reals[where : where + len(reals)] = reals
        within = [number for number, call in enumerate(self._calls) if call.station in by_name]
        for column, number in enumerate(within):
            where, call = self.calls[number], self._calls[number]
            drawn, growth = _service(call, by_name[call.station], arrays)
            arrays.ints[where + at.SERVICE_DRAW : where + at.OUTPUT_DRAW + 1] = drawn
            arrays.reals[where + at.PROMPT_GROWTH] = growth
            arrays.ints[where + at.INSIDE], arrays.ints[where + at.COLUMN] = 1, column
        joins = [number for number in within if self._calls[number].joins > 1]
        for column, number in enumerate(joins, len(within)):
            arrays.ints[self.calls[number] + at.JOIN] = column
        wide = len(within) + len(joins)
        arrays.ints[at.JOINED], arrays.ints[at.HELD] = len(within), wide
        forks = arrays.ints[at.VIA] >= 0
        arrays.ints[at.VIA], arrays.ints[at.WIDTH] = (wide, wide + len(within)) if forks else (-1, wide)
        return Packed(np.array(arrays.ints, np.int64), np.array(arrays.reals), self.stations, self.calls)


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


def _limits(network: Network, places: Mapping[str, int], arrays: Arrays) -> None:
    arrays.ints[at.LIMITS] = len(arrays.ints)
    for limit in network.limits:
        where = arrays.put([0, -1, -1, limit.slots, 0])
        for name in limit.calls:
            arrays.ints[places[name] + at.LIMIT] = where


def _station(station: Station, seed: int, rank: int, arrays: Arrays) -> Cells:
    """What the station does, as its first cells; what they lead to is added to the arrays."""
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
    return numbers, floats


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


def _call(call: Call, network: Network, places: Mapping[str, int], arrays: Arrays) -> list[int]:
    """A call with its route, which stands behind it, and without what its station does."""
    route = network.routes.get(call.name, Choice(((END, 1.0),)))
    if isinstance(route, Fork):
        kind, targets = at.FORK, [(places[name], 1.0) for name in route.targets]
    else:
        targets = _cumulative([(places[name], share) for name, share in route.targets if share > 0])
        kind = at.ONE if len(targets) == 1 else at.CHOICE
    begin = arrays.put([target for target, _ in targets], [upto for _, upto in targets])
    limit = arrays.ints[places[call.name] + at.LIMIT]
    return [0, call.joins, -1, kind, begin, len(targets), limit, -1, -1, -1, 0, 0, 0, 0]


def _service(call: Call, station: Station, arrays: Arrays) -> tuple[list[int], float]:
    """Where the distributions of a call lie (service, prompt, output), and by how much its prompt grows."""
    service = call.service or station.service
    llm = service if isinstance(service, Llm) else None
    plain = None if isinstance(service, Llm) else service
    drawn = [arrays.distribution(each) for each in (plain, llm.prompt if llm else None, llm.output if llm else None)]
    return drawn, llm.prompt_growth if llm else 0.0


def _cumulative(targets: list[tuple[int, float]]) -> list[tuple[int, float]]:
    upto, made = 0.0, []
    for target, share in targets:
        upto += share
        made.append((target, upto))
    made[-1] = (made[-1][0], 1.0)
    return made
