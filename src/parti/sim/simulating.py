"""Simulating a network: all at once by the event loop, or stage by stage, which is faster and gives the same bits.

Stages are in order: what leaves one never comes back, so what happened up to a stage does not depend on choices after it.
`begin`, `extend` and `finish` give a search that order, one stage at a time: every `Prefix` may be kept, and extended in
several ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from parti.errors import PlanError
from parti.extras import need
from parti.sim.checking import check_changed, check_load, check_network
from parti.sim.condensing import Stage, stages
from parti.sim.load import Load
from parti.sim.network import Network, Station
from parti.sim.result import Simulated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from parti.sim.flows import Flow
    from parti.sim.packing import Frame
    from parti.sim.staging import Ran

Kernel = Literal["stages", "events"]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A simulation up to, not including, stage number `done` of `stages`. It is never changed by being extended.

    `reached` (float64, one per request) is the latest time that is known of each request so far: its end comes at or
    after it, whatever the later stages are; infinite for one that already did not end well.
    """

    network: Network
    load: Load
    seed: int
    warmup: float
    parts: bool
    stages: tuple[Stage, ...]
    done: int
    reached: NDArray[np.float64]
    frame: Frame = field(repr=False)
    """What all prefixes of one simulation have in common, as arrays."""
    coming: Mapping[str, tuple[Flow, ...]] = field(repr=False)
    """By station: branches that come to its calls from stages that are done. Their calls are numbers, not places."""
    ended: tuple[Flow, ...] = field(repr=False)
    ran: tuple[Ran, ...] = field(repr=False)


def simulate(
    network: Network, load: Load, *, seed: int, warmup: float = 0.0, kernel: Kernel = "stages", parts: bool = True
) -> Simulated:
    """Simulate until every request ended. Same network, load and seed: same bits, by either kernel, with or without numba.

    `warmup` seconds at the start are left out of all figures. Without `parts` it takes less memory and time.
    Raises P801 to P804 for a network or load that cannot be, P110 without numpy.
    """
    prefix = begin(network, load, seed=seed, warmup=warmup, parts=parts)
    if kernel == "events":
        everything = Stage(tuple(station.name for station in network.stations), True)
        return finish(_extended(prefix, everything, len(prefix.stages)))
    while prefix.done < len(prefix.stages):
        prefix = extend(prefix)
    return finish(prefix)


def begin(network: Network, load: Load, *, seed: int, warmup: float = 0.0, parts: bool = False) -> Prefix:
    """The empty prefix: all requests have just arrived. Raises as `simulate`."""
    need("numpy", extra="plan", purpose="simulation")
    check_network(network)
    check_load(network, load, warmup)
    return _begin(network, load, seed, warmup, parts)


def _begin(network: Network, load: Load, seed: int, warmup: float, parts: bool) -> Prefix:
    from parti.sim.compiled import np  # noqa: PLC0415 - numpy is imported once a simulation starts
    from parti.sim.flows import Flow  # noqa: PLC0415
    from parti.sim.packing import Frame  # noqa: PLC0415

    calls = network.all_calls()
    entry = [call.name for call in calls].index(network.entry)
    number = len(load)
    where = np.full(number, entry) if load.entries is None else np.asarray(load.entries, np.int64)
    times = np.ascontiguousarray(load.arrived, np.float64)
    whole = Flow(times, np.arange(number), where, np.full(number, -1))
    coming: dict[str, tuple[Flow, ...]] = {}
    for index in (entry,) if load.entries is None else np.unique(where):
        name = calls[index].station
        coming[name] = (*coming.get(name, ()), whole if load.entries is None else whole.chosen(where == index))
    found = stages(network)
    order = {name: rank for rank, name in enumerate(name for each in found for name in each.stations)}
    last = float(times[-1]) if number else 0.0
    ranks = [order[station.name] for station in network.stations]
    frame = Frame(network, seed, ranks, window=(warmup, max(last, warmup)), parts=parts)
    return Prefix(network, load, seed, warmup, parts, found, 0, times, frame, coming, (), ())


def extend(prefix: Prefix, changed: Mapping[str, Station] | None = None) -> Prefix:
    """One stage further. `changed` replaces stations of that stage, by name; calls, routes and limits stay as they are.

    Extending one prefix with several choices of the next stage costs one stage each: earlier stages are not simulated again.
    Raises P801 for a replacement that is not of the next stage, or cannot be.
    """
    if prefix.done >= len(prefix.stages):
        raise PlanError("P801", "all stages are simulated", fix="call finish(prefix)")
    stage = prefix.stages[prefix.done]
    if changed:
        strange = [name for name, station in changed.items() if name not in stage.stations or station.name != name]
        if strange:
            raise PlanError(
                "P801",
                f"{strange[0]!r} is not a station of the next stage",
                fix=f"replace only {', '.join(stage.stations)}, under the same names",
            )
        stations = tuple(changed.get(station.name, station) for station in prefix.network.stations)
        if not prefix.frame.knows(_of(stage, stations)):
            check_changed(prefix.network, changed.values())
        for station in changed.values():
            stage = stage.served_by(station)
        found = (*prefix.stages[: prefix.done], stage, *prefix.stages[prefix.done + 1 :])
        prefix = replace(prefix, network=replace(prefix.network, stations=stations), stages=found)
    return _extended(prefix, stage, prefix.done + 1)


def _extended(prefix: Prefix, stage: Stage, done: int) -> Prefix:
    from parti.sim.compiled import np  # noqa: PLC0415 - numba is imported once a simulation starts
    from parti.sim.flows import Flow, empty, joined  # noqa: PLC0415
    from parti.sim.staging import run_stage  # noqa: PLC0415

    frame, number = prefix.frame, len(prefix.load)
    packed = frame.packed(_of(stage, prefix.network.stations))
    flow = joined([flow for name in stage.stations for flow in prefix.coming.get(name, ())])
    places = np.array(packed.calls)
    ran = run_stage(packed, replace(flow, calls=places[flow.calls]), number, events=stage.events)
    left, reached = ran.leaving, prefix.reached.copy()
    if ran.via.shape[1]:
        np.maximum.at(reached, left.requests, left.times)
    else:  # without forks a request is in one place, and time goes on
        reached[left.requests] = left.times
    reached[ran.ends.requests] = np.inf
    numbers = np.full(len(packed.ints) + 1, -1)
    numbers[places] = np.arange(len(places))
    coming = {name: flows for name, flows in prefix.coming.items() if name not in stage.stations}
    ended = prefix.ended
    together = len(left) > 0 and bool((left.calls == left.calls[0]).all())
    for target in left.calls[:1] if together else np.unique(left.calls):
        piece = left if together else left.chosen(left.calls == target)
        to = np.full(len(piece), numbers[target])
        piece = Flow(piece.times, piece.requests, to, piece.sources)
        if target < 0:
            ended = (*ended, piece)
        else:
            name = frame.stations_of_calls[int(numbers[target])]
            coming[name] = (*coming.get(name, ()), piece)
    return replace(
        prefix, done=done, reached=reached, coming=coming, ended=ended, ran=(*prefix.ran, replace(ran, leaving=empty()))
    )


def _of(stage: Stage, stations: tuple[Station, ...]) -> tuple[Station, ...]:
    return tuple(station for station in stations if station.name in stage.stations)


def finish(prefix: Prefix) -> Simulated:
    """The simulation, once `prefix.done` is ``len(prefix.stages)``: the same bits as `simulate` of the changed network."""
    if prefix.done < len(prefix.stages):
        raise PlanError("P801", f"{len(prefix.stages) - prefix.done} stages are left", fix="extend the prefix")
    from parti.sim.gathering import gather  # noqa: PLC0415 - numba is imported once a simulation starts

    return gather(prefix)
