"""One process: a network in which all parts share the event loop, the cores and the commits of one process, as under `parti up`.

What computes in a coroutine does so on the one event loop, one after the other, and so does Parti's own work for each run.
Blocking functions are in threads, on so many cores at most. Runs that end while a commit is under way share the next one.

Where threads and the event loop want more cores than there are, all of them are slower (`sharing.py`). What computes in threads is
taken to release the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.function import Function
from parti.design.graph import Design, Part
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.design.step import Step
from parti.design.tool import Tool
from parti.planning.blueprint import COMMIT, GATE, Blueprint
from parti.planning.deployment import Deployed, Deployment, Door, OneProcess
from parti.planning.profile import Service
from parti.planning.stations import Stations, part_of
from parti.sim.distributions import Constant, Distribution, Empirical
from parti.sim.network import EVERYONE, Batch, Call, Choice, Fork, Llm, Network, Route, Station
from parti.units import Seconds

LOOP: Final = f"{GATE}loop"
"""The station of the event loop."""

BESIDES: Final = f"{GATE}besides"
"""Ends the name of a call in which a run waits for something that is neither a part nor the event loop: a fence, the way of HTTP."""

MORE: Final = f"{GATE}more"
"""Ends the name of a call in which the event loop works for a run while that does something else: journaling, commits, callbacks."""

SHARED: Final = 4096
"""So many runs may share a commit, and more than ever end at once."""

Runner = Handler | Endpoint | Schedule


def as_declared(design: Design, together: OneProcess) -> Deployed:
    """All parts of a design in one process, with batches as large as they declare."""
    batches = ((part.name, getattr(part, "batch", None)) for part in design.parts)
    return Deployed(tuple(Deployment(name, batch=batch.size) for name, batch in batches if batch), together)


def in_one_process(network: Network, blueprint: Blueprint, stations: Stations, together: OneProcess) -> Network:
    """The network with what parts share in one process. It needs stations for `together.cores` cores."""
    making = _Making(network, blueprint, stations, together, dict(network.routes))
    making.made = {call.name: making.calls(call) for call in network.calls}
    calls = [call for made in making.made.values() for call in made]
    used = {call.station for call in calls}
    kept = [station for station in network.stations if station.name in used]
    made = [station for station in making.shared() if station.name in used]
    limits = tuple(replace(one, calls=tuple(making.within(one.calls))) for one in network.limits)
    together_now = replace(
        network, stations=(*kept, *making.added, *made), calls=tuple(calls), routes=making.routes, limits=limits
    )
    return slowed(together_now, dict(together.slower))


@dataclass(frozen=True, slots=True)
class _Work:
    """What a part does `first` on the event loop, what it waits for `besides`, and what `more` it has the loop do meanwhile."""

    first: Distribution
    besides: Distribution | None
    more: Distribution | None


@dataclass(slots=True)
class _Making:
    network: Network
    blueprint: Blueprint
    stations: Stations
    together: OneProcess
    routes: dict[str, Route]
    added: list[Station] = field(default_factory=list)
    made: dict[str, list[Call]] = field(default_factory=dict)
    """What became of each call."""

    def calls(self, call: Call) -> list[Call]:
        """A call as it is in one process: where it was, or on the event loop and then besides."""
        if call.station.startswith(COMMIT):
            return [replace(call, station=COMMIT)]
        name = part_of(call.station)
        part = self.stations.design.by_name.get(name)
        station = next(one for one in self.network.stations if one.name == call.station)
        service = call.service or station.service
        if part is None or isinstance(service, Llm) or not self.on_loop(part):
            return [call]
        work, retry = self.work(part, service), station.retry
        first = [replace(call, station=LOOP, service=work.first)]
        if work.besides is not None or retry is not None:
            station = Station(f"{BESIDES}@{call.name}", work.besides or Constant(0.0), 1, EVERYONE, retry=retry)
            first.append(self.behind(call.name, f"{call.name}{BESIDES}", station))
        return first if work.more is None else [*first, *self.meanwhile(first[-1].name, work.more)]

    def on_loop(self, part: Part) -> bool:
        """Whether its own work is on the event loop: that of runners and agents, and coroutines that compute one by one."""
        if isinstance(part, Runner | Agent):
            return True
        service = self.service(part.name)
        return (
            isinstance(part, Step | Tool)
            and isinstance(part.function, Function)
            and part.function.is_async
            and part.batch is None
            and service is not None
            and self.stations.computes(part, service)
        )

    def work(self, part: Part, whole: Distribution) -> _Work:
        """What a part that is on the event loop does there, first and besides, and for how long it waits for something else."""
        own, loop = whole.mean, self.loop(part.name)
        busy = max(0.0, own - self.fences(part.name)) if loop is None else min(own, loop)
        share = busy / own if own > 0 else 0.0
        door = self.together.door if isinstance(part, Endpoint) else Door()
        added = door.besides + (self.together.handing_on if isinstance(part, Handler) else 0.0)
        rest = max(0.0, own - busy) + added
        more = 0.0 if loop is None else max(0.0, loop - own)
        return _Work(
            scaled(whole, share, door.loop),
            scaled(whole, 1.0 - share, added) if rest > 0 else None,
            Constant(more) if more > 0 else None,
        )

    def fences(self, runner: str) -> Seconds:
        """Seconds of a run's own time in which it waits for the disk before and after its writes, of one known from traffic alone."""
        graph, commit = self.stations.profile.graph(runner), self.stations.profile.commit
        if graph is None or commit is None:
            return 0.0
        parts = ((self.stations.design.by_name.get(name), visits) for name, visits in graph.visits().items())
        writes = sum(visits for part, visits in parts if isinstance(part, Tool) and part.effect == "write")
        return 2.0 * commit.mean * writes

    def loop(self, runner: str) -> Seconds | None:
        """Seconds on the event loop of a run, without the coroutines that compute in it, which are there by themselves.

        What the loop does once for a commit is shared by the runs that share it.
        """
        service = self.service(runner)
        if service is None or service.loop is None:
            return None
        graph = self.stations.profile.graph(runner)
        apart = 0.0
        for name, visits in (graph.visits() if graph is not None else {}).items():
            part, known = self.stations.design.by_name.get(name), self.service(name)
            if part is not None and known is not None and self.on_loop(part):
                apart += visits * known.seconds.mean
        alone = service.loop
        left = alone if service.loop_shared is None else min(alone, service.loop_shared)
        return max(0.0, left + (alone - left) / self.together.sharing - apart)

    def meanwhile(self, name: str, more: Distribution) -> list[Call]:
        """Calls behind that one: one on the event loop, for which nobody waits but who comes next there, and one that goes on."""
        on = f"{name}·on"
        onward = self.behind(name, on, Station(f"{GATE}{on}", Constant(0.0), 1, EVERYONE))
        self.routes[name] = Fork((on, f"{name}{MORE}"))
        return [onward, Call(f"{name}{MORE}", LOOP, more)]

    def behind(self, name: str, after: str, station: Station) -> Call:
        """A new call of a new station, between the call of that name and where it led."""
        self.added.append(station)
        if name in self.routes:
            self.routes[after] = self.routes[name]
        self.routes[name] = Choice(((after, 1.0),))
        return Call(after, station.name)

    def within(self, calls: tuple[str, ...]) -> list[str]:
        """The calls of a limit, and what belongs to them."""
        return [call.name for name in calls for call in self.made[name]]

    def shared(self) -> list[Station]:
        """The event loop, and the commits."""
        commit = self.stations.profile.commit
        loop = Station(LOOP, Constant(0.0))
        return [loop] if commit is None else [loop, Station(COMMIT, commit.distribution, batch=Batch(SHARED))]

    def service(self, name: str) -> Service | None:
        known = self.stations.profile.part(name)
        return known.service() if known is not None else None


def slowed(network: Network, factors: Mapping[str, float]) -> Network:
    """The network in which services at these stations take so many times as long: their cores are at work for others, too."""
    stations = tuple(
        replace(one, service=scaled(one.service, factors[one.name], 0.0))
        if one.name in factors and not isinstance(one.service, Llm)
        else one
        for one in network.stations
    )
    calls = tuple(
        replace(one, service=scaled(one.service, factors[one.station], 0.0))
        if one.station in factors and one.service is not None and not isinstance(one.service, Llm)
        else one
        for one in network.calls
    )
    return replace(network, stations=stations, calls=calls)


def scaled(whole: Distribution, factor: float, added: Seconds) -> Distribution:
    """A distribution times `factor`, and then moved by `added` seconds, not below 0."""
    if isinstance(whole, Empirical):
        return Empirical(tuple(max(0.0, value * factor + added) for value in whole.quantiles))
    return Constant(max(0.0, whole.mean * factor + added))
