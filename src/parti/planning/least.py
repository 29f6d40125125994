"""The least: what each request takes of each stage at least, whatever is planned, from one run in which nobody waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from parti.extras import need
from parti.optimise.capacity import late_least
from parti.sim.distributions import Constant, Distribution, Empirical
from parti.sim.network import EVERYONE, Batch, Fork, Llm, Station
from parti.sim.simulating import Prefix, extend
from parti.units import Seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROUNDING: Final = 1e-9
"""Sums of times are not exact: so much of them is not counted on."""


class Least:
    """Of the requests of one seed that count: what they take from each stage on, and what work they are at a station.

    Draws are of a request and a call, whatever is planned, so one run in which nobody waits anywhere shows them. Where branches
    run side by side a request is in several places at once: then only arrivals, and single stations, tell anything.
    """

    def __init__(self, start: Prefix, counted: NDArray[np.bool_], relaxed: Callable[[str], Station]) -> None:
        self._start, self._counted, self._relaxed = start, counted, relaxed
        self._alone = not any(isinstance(route, Fork) for route in start.network.routes.values())
        self._after: dict[int, NDArray[np.float64]] = {}
        self._works: dict[tuple[str, Distribution], NDArray[np.float64]] = {}

    @cached_property
    def _prefixes(self) -> tuple[Prefix, ...]:
        found = [self._start]
        for stage in self._start.stages:
            found.append(extend(found[-1], {name: self._relaxed(name) for name in stage.stations}))
        return tuple(found)

    def after(self, done: int) -> NDArray[np.float64] | float:
        """Seconds that each request takes in the stages from number `done` on, at least; 0 where nothing is known."""
        if not self._alone:
            return 0.0
        if done not in self._after:
            rest = self._prefixes[-1].reached - self._prefixes[done].reached
            self._after[done] = (rest * (1.0 - ROUNDING))[self._counted]
        return self._after[done]

    def late(self, station: Station, seconds: Seconds) -> int:
        """So many of these requests take more than `seconds` at least, because that station cannot do its work in time."""
        np = need("numpy", extra="plan", purpose="planning")
        service, network = station.service, self._start.network
        if isinstance(service, Llm) or station.servers >= EVERYONE or any(call.service for call in network.calls):
            return 0
        stage = _stage_of(self._start, station.name)
        arrived = self._start.load.arrived[self._counted]
        ready = self._prefixes[stage].reached[self._counted] if self._alone else arrived
        due = arrived + seconds * (1.0 + ROUNDING) - self.after(stage + 1)
        work = self._work(stage, station.name, service)
        comes = work > 0
        if not comes.any():
            return 0
        ready, due, work = ready[comes], due[comes], work[comes]
        if station.batch is not None and station.batch.size > 1:
            work = np.full_like(work, work.min() * _share(station.batch.growth, station.batch.size))
        return late_least(ready, due, work, station.servers)

    def _work(self, stage: int, name: str, service: Distribution) -> NDArray[np.float64]:
        """Seconds of service of each request at a station, all its visits together."""
        key = name, service
        if key not in self._works:
            before = self._prefixes[stage]
            nothing = {other: _nothing(other) for other in before.stages[stage].stations}
            after = extend(before, nothing | {name: Station(name, service, 1, EVERYONE)})
            taken = after.reached - before.reached
            self._works[key] = (taken * (1.0 - ROUNDING))[self._counted]
        return self._works[key]


def fastest(services: Sequence[tuple[Distribution, Batch | None]]) -> Distribution:
    """What is never slower, draw for draw, than any of these; in a batch a request may take as long as one with a shorter draw."""
    plain = [service.quantiles for service, batch in services if isinstance(service, Empirical) and batch is None]
    if plain and len(plain) == len(services) and len({len(one) for one in plain}) == 1:
        return Empirical(tuple(map(min, *plain)) if len(plain) > 1 else plain[0])
    least = [_least(service) * min(batch.growth if batch else (), default=1.0) for service, batch in services]
    return Constant(min(least, default=0.0))


def _least(service: Distribution) -> Seconds:
    if isinstance(service, Empirical):
        return service.quantiles[0]
    return service.mean if isinstance(service, Constant) else 0.0


def _share(growth: Sequence[float], size: int) -> float:
    """The least share of its first request's time that a request of a batch is, in work."""
    return min(factor / number for number, factor in enumerate(growth, 1)) if growth else 1.0 / size


def _nothing(name: str) -> Station:
    return Station(name, Constant(0.0), 1, EVERYONE)


def _stage_of(prefix: Prefix, station: str) -> int:
    return next(number for number, stage in enumerate(prefix.stages) if station in stage.stations)
