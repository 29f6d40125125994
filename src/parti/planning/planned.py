"""A plan as it is told and kept: what runs where, what it costs, what it does, how sure that is, and why it is so."""

from __future__ import annotations

from dataclasses import dataclass

from parti.optimise.found import Proof
from parti.planning.deployment import Deployed, Deployment
from parti.planning.predicting import Prediction
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One part: how it runs, what that costs (USD per hour), and one sentence that says why it is not cheaper."""

    deployment: Deployment
    usd_per_hour: float
    quality: float
    reason: str


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A plan that no other beats in cost, p99 and quality together, as simulated on one sample."""

    usd_per_hour: float
    p99: Seconds
    quality: float
    deployed: Deployed


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the plan when something is otherwise: its cost and p99 then, and whether it keeps its promises."""

    what: str
    usd_per_hour: float
    p99: Seconds
    kept: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """How a plan did on `runs` fresh seeds, of which `broken` broke the promise, after `rounds` rounds of planning.

    `safety` is what it costs more than the plan that was cheapest on one sample (USD per hour).
    """

    runs: int
    broken: int
    p99_high: Seconds
    rounds: int
    safety: float


@dataclass(frozen=True, slots=True)
class Planned:
    """A whole plan. `plans` is how many there were to choose from; `proof` and `relaxed` are as in optimise.found.Found."""

    parts: tuple[PlannedPart, ...]
    usd_per_hour: float
    quality: float
    prediction: Prediction
    proof: Proof
    relaxed: Proof
    plans: int
    verification: Verification
    front: tuple[FrontPoint, ...]
    bottleneck: str
    """A sentence."""
    next_step: Change | None
    """The one change that makes p99 smaller at the least cost."""
    relaxing: tuple[Change, ...]
    """What each promise costs: the cheapest plan where it were less."""
    sensitivity: tuple[Change, ...]
    notes: tuple[str, ...]
    kept: bool
    """Whether the promises are kept with the hands that runners have, too; the search reckons with enough of them."""

    @property
    def deployed(self) -> Deployed:
        """How all parts run."""
        return Deployed(tuple(part.deployment for part in self.parts))
