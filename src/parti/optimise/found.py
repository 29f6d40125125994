"""What a search found: the plan, what it was measured at, and how far it is proved."""

from __future__ import annotations

import math
from dataclasses import dataclass

from parti.optimise.problem import Plan, Promise


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a search may take: `seconds` by its clock, `extensions` of the simulation by one stage, `memory` in bytes.

    Where nothing was found, up to `oracle.EXPLAINING` more extensions find the quickest plan, or say why there is none.
    With a limit in extensions and endless seconds a search gives the same answer on every machine. A search ends when its
    `relaxed` proof is complete; with `strict` it goes on until `proof` is, which mostly takes very much longer.
    """

    seconds: float = 15.0
    extensions: int = 1 << 40
    memory: int = 256 << 20
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """No plan that keeps the promises in the simulated sample costs less than `lower` (USD per hour).

    `cost` is that of the best plan, infinite while none is found. `gap` is what could still be saved, as a share of it.
    """

    lower: float
    cost: float

    @property
    def optimal(self) -> bool:
        """Whether nothing cheaper is left (but for rounding)."""
        return self.lower >= self.cost * (1 - 1e-9)

    @property
    def gap(self) -> float:
        """What of the cost is not proved to be necessary: 0 when proved optimal, 1 when nothing is proved."""
        if self.optimal:
            return 0.0
        return 1.0 if math.isinf(self.cost) else (self.cost - self.lower) / self.cost


@dataclass(frozen=True, slots=True)
class Point:
    """A plan as simulated: USD per hour, the latency at the promised level in seconds (maybe infinite), quality, late requests."""

    plan: Plan
    cost: float
    quality: float
    seconds: float
    late: int

    def keeps(self, promise: Promise) -> bool:
        """Whether the plan keeps the promise. (`seconds` must be at the promise's level.)"""
        from_quality = self.quality >= promise.quality_least - 1e-9
        return self.seconds <= promise.seconds and from_quality and self.cost <= promise.cost_most


@dataclass(frozen=True, slots=True)
class Found:
    """The best plan of a search, and its proofs.

    `proof` holds whatever the network does. `relaxed` holds if waiting in one stage never helps in another, so fewer replicas do not (see
    `Simulation.monotone`); it is at least as strong, and equals `proof` where the simulation is monotone. `points` are all whole
    plans that were simulated on the way, cheapest first. `extensions` says how many stages were simulated, `elapsed` seconds.
    """

    promise: Promise
    seed: int
    best: Point
    proof: Proof
    relaxed: Proof
    points: tuple[Point, ...]
    extensions: int
    elapsed: float

    @property
    def plan(self) -> Plan:
        """The best plan."""
        return self.best.plan
