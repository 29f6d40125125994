"""Other ways to plan, on the same simulator: InferLine's greedy, Optuna's TPE, and random plans."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.plan_problems import MACHINES, Pipeline, Ways
from parti.optimise.found import Limits, Point
from parti.optimise.oracle import LimitReached, Oracle
from parti.optimise.problem import Option, Plan, Promise

Clock = Callable[[], float]


@dataclass
class Peer:
    """A pipeline and its promise, and plans as simulated until the time is over. `cost` is infinite while none keeps the promise."""

    pipeline: Pipeline
    promise: Promise
    oracle: Oracle
    cost: float = math.inf

    def __post_init__(self) -> None:
        self.parts = [
            (part.name, {option.label: option for option in part.options}) for part in self.pipeline.problem.parts()
        ]

    def point(self, ways: tuple[Ways, ...]) -> Point:
        """A plan as simulated; the cheapest that keeps the promise is remembered."""
        self.oracle.check()
        point = self.oracle.point(Plan(tuple((self.option(part, way),) for part, way in enumerate(ways))))
        if point.keeps(self.promise):
            self.cost = min(self.cost, point.cost)
        return point

    def option(self, part: int, way: Ways) -> Option:
        return self.parts[part][1][way]

    def has(self, part: int, way: Ways) -> bool:
        return way in self.parts[part][1]

    def batches(self, part: int) -> list[int]:
        return sorted({way.batch for way in self.parts[part][1]})


def peer(pipeline: Pipeline, promise: Promise, *, seed: int, seconds: float, clock: Clock) -> Peer:
    """A peer with so much time."""
    limits = Limits(seconds)
    return Peer(pipeline, promise, Oracle(pipeline.problem, pipeline, promise, seed=seed, limits=limits, clock=clock))


def by_inferline(peer: Peer) -> float:
    """InferLine's planner (Crankshaw et al., SoCC 2020, section 4.3): the cost of its plan, infinite where it finds none.

    It starts with batches of 1 on the best hardware, adds replicas to the model with the least throughput until the promise is
    kept, and then takes, while one does, the step that saves most and still keeps it: a larger batch (which saves nothing
    itself), one replica less, or the next cheaper hardware with batch and replicas chosen anew for that model alone.
    """
    with suppress(LimitReached):
        ways = _initialised(peer)
        while ways is not None:
            ways = _best_step(peer, ways, downgrade=True)
    return peer.cost


def _throughput(peer: Peer, part: int, way: Ways) -> float:
    profile = peer.pipeline.profiles[peer.parts[part][0]]
    grown = 1 + profile.growth * (way.batch - 1)
    return way.replicas * way.batch * MACHINES[way.machine][0] / (profile.seconds * grown)


def _initialised(peer: Peer) -> tuple[Ways, ...] | None:
    best = max({way.machine for _, options in peer.parts for way in options}, key=lambda name: MACHINES[name][0])
    ways = tuple(Ways(1, 1, best) for _ in peer.parts)
    while not peer.point(ways).keeps(peer.promise):
        growing = [part for part, way in enumerate(ways) if peer.has(part, replace(way, replicas=way.replicas + 1))]
        if not growing:
            return None
        least = min(growing, key=lambda part: _throughput(peer, part, ways[part]))
        ways = _with(ways, least, replace(ways[least], replicas=ways[least].replicas + 1))
    return ways


def _with(ways: tuple[Ways, ...], part: int, way: Ways) -> tuple[Ways, ...]:
    return (*ways[:part], way, *ways[part + 1 :])


def _best_step(
    peer: Peer, ways: tuple[Ways, ...], *, downgrade: bool, only: int | None = None
) -> tuple[Ways, ...] | None:
    """The step that saves most, None where no step keeps the promise without costing more."""
    now, best, best_cost = peer.point(ways).cost, None, math.inf
    for part in range(len(ways)) if only is None else (only,):
        steps = [*_larger_batch(peer, ways, part), *_replica_less(peer, ways, part)]
        if downgrade:
            steps += _downgraded(peer, ways, part)
        for after in steps:
            point = peer.point(after)
            if point.keeps(peer.promise) and point.cost <= now + 1e-12 and point.cost < best_cost:
                best, best_cost = after, point.cost
    return best


def _larger_batch(peer: Peer, ways: tuple[Ways, ...], part: int) -> Iterator[tuple[Ways, ...]]:
    larger = [batch for batch in peer.batches(part) if batch > ways[part].batch]
    if larger:
        yield _with(ways, part, replace(ways[part], batch=larger[0]))


def _replica_less(peer: Peer, ways: tuple[Ways, ...], part: int) -> Iterator[tuple[Ways, ...]]:
    less = replace(ways[part], replicas=ways[part].replicas - 1)
    if peer.has(part, less):
        yield _with(ways, part, less)


def _downgraded(peer: Peer, ways: tuple[Ways, ...], part: int) -> list[tuple[Ways, ...]]:
    """The next cheaper hardware, with replicas added until the promise is kept, then batch and replicas of this model lowered."""
    speed = MACHINES[ways[part].machine][0]
    slower = [name for name in {way.machine for way in peer.parts[part][1]} if MACHINES[name][0] < speed]
    if not slower:
        return []
    way = Ways(1, 1, max(slower, key=lambda name: MACHINES[name][0]))
    while not peer.point(_with(ways, part, way)).keeps(peer.promise):
        way = replace(way, replicas=way.replicas + 1)
        if not peer.has(part, way):
            return []
    after = _with(ways, part, way)
    while (lower := _best_step(peer, after, downgrade=False, only=part)) is not None:
        after = lower
    return [after]


def by_tpe(peer: Peer, *, seed: int) -> float:
    """Optuna's TPE with a categorical for replicas, batch and machine of each part, until the time is over.

    A plan that breaks the promise scores the dearest cost and, on top, by how many times it is late.
    """
    import optuna  # noqa: PLC0415 - only this peer needs it

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    dearest = sum(max(option.cost for option in options.values()) for _, options in peer.parts)

    def score(trial: Any) -> float:
        ways = []
        for part, (name, options) in enumerate(peer.parts):
            replicas = trial.suggest_int(f"{name} replicas", 1, max(way.replicas for way in options))
            batch = trial.suggest_categorical(f"{name} batch", peer.batches(part))
            machine = trial.suggest_categorical(f"{name} machine", sorted({way.machine for way in options}))
            ways.append(Ways(replicas, batch, machine))
        point = peer.point(tuple(ways))
        late = min(point.seconds, 1000 * peer.promise.seconds) / peer.promise.seconds
        return point.cost if point.keeps(peer.promise) else dearest + late

    with suppress(LimitReached):
        study.optimize(score, n_trials=1_000_000)
    return peer.cost


def by_chance(peer: Peer, *, seed: int) -> float:
    """Plans drawn evenly until the time is over."""
    draw = np.random.default_rng(seed)
    lists = [list(options) for _, options in peer.parts]
    try:
        while True:
            peer.point(tuple(ways[int(draw.integers(len(ways)))] for ways in lists))
    except LimitReached:
        return peer.cost
