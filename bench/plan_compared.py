"""Predicted against measured: the figures of one load on one plan, with the intervals of both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from statistics import fmean
from typing import Any, Final

from bench.measured import Measured
from parti.design.goals import Slo
from parti.design.graph import Design
from parti.planning.asked import Asked
from parti.planning.deployment import Deployed
from parti.planning.load import Stream, Workload
from parti.planning.predicting import EVENT_LOOP, Prediction, predict
from parti.planning.prices import PriceList
from parti.planning.profile import PartProfile, Profile
from parti.planning.traces import trace_of
from parti.sim.replications import Interval, interval

BOUND: Final = 10**9
"""More requests than any load has: a prediction takes all arrivals of its trace."""

BATCHES_LEAST: Final = 30
"""So many batches of one size tell how long they take."""

NAMES: Final = ("p50", "p95", "p99")


@dataclass(frozen=True)
class Replication:
    """One replication: when requests were sent, what was measured, the profile of its own traffic, and how many requests failed."""

    arrived: Sequence[float]
    measured: Measured
    seen: Profile
    failed: int


@dataclass(frozen=True)
class Figure:
    """One figure: as measured, as predicted, and as predicted with the service times of the very runs that were measured."""

    name: str
    unit: str
    measured: Interval
    predicted: Interval
    refitted: Interval

    @property
    def error(self) -> float:
        """By how much the prediction is off: a share of what was measured, of uses the difference."""
        return _off(self.unit, self.predicted.mean, self.measured.mean)

    @property
    def error_refitted(self) -> float:
        """The same with the service times of the very runs: what is left of the error is the model's, and not the profile's."""
        return _off(self.unit, self.refitted.mean, self.measured.mean)


@dataclass(frozen=True)
class Compared:
    """One load on one plan: its figures, the drift of each part's mean time against the profile, and how many requests failed."""

    text: str
    past: bool
    requests: int
    failed: int
    figures: tuple[Figure, ...]
    drift: dict[str, float]
    loop: float
    """The predicted use of the event loop."""

    def figure(self, name: str) -> Figure:
        """The figure of that name."""
        return next(one for one in self.figures if one.name == name)

    @property
    def use(self) -> float:
        """The use of the busiest part, as measured."""
        return max((one.measured.mean for one in self.figures if one.unit == "use"), default=0.0)

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


def compared(
    text: str, design: Design, profile: Profile, entry: str, deployed: Deployed, replications: Sequence[Replication],
    seeds: int, *, past: bool = False, off: float = 0.0,
) -> Compared:  # fmt: skip
    """The figures. Each replication is predicted under the very arrivals that it had, so that their luck is on both sides.

    `off` seconds are taken off what is predicted, for what is not in the measured times.
    """
    told, again = (
        [
            prediction_of(design, known, entry, deployed, one.arrived, range(1000 * at, 1000 * at + seeds))
            for at, (known, one) in enumerate(zip(profiles, replications, strict=True))
        ]
        for profiles in ([profile] * len(replications), [refitted(profile, one.seen) for one in replications])
    )
    measured = [one.measured for one in replications]

    def figure(name: str, unit: str, seen: list[float], of: Callable[[Prediction], float]) -> Figure:
        return Figure(
            name, unit, *(interval(side) for side in (seen, [of(one) for one in told], [of(one) for one in again]))
        )

    figures = [
        figure(name, "ms", [1000 * one.quantiles[at] for one in measured], partial(_milliseconds, name, off))
        for at, name in enumerate(NAMES)
    ]
    figures.append(figure("throughput", "/s", [one.throughput for one in measured], lambda one: one.throughput.mean))
    for part in measured[0].use:
        figures.append(figure(part, "use", [one.use[part] for one in measured], partial(_use, part)))
    loop = fmean(_use(EVENT_LOOP, one) for one in told)
    requests = sum(len(one.arrived) for one in replications)
    failed = sum(one.failed for one in replications)
    return Compared(text, past, requests, failed, tuple(figures), _drift(profile, replications), loop)


def prediction_of(
    design: Design, profile: Profile, entry: str, deployed: Deployed, arrived: Sequence[float], seeds: Sequence[int]
) -> Prediction:
    """What is predicted for requests that arrive at those times, over one run for each seed."""
    begin = min(arrived)
    stream = Stream(trace_of(sorted(at - begin for at in arrived)), ((entry, 1.0),), "as sent")
    asked = Asked(design, profile, PriceList("none", ()), Workload((stream,)), Slo(p99="1s"), requests=BOUND)
    return predict(asked.model, deployed, seeds)


def refitted(profile: Profile, seen: Profile) -> Profile:
    """The profile with the service times of other runs in the place of its own, where those have enough of them.

    Those of runners stay: under load their own times hold turns of the event loop.
    """
    return replace(profile, parts=tuple(_refitted(part, seen.part(part.part)) for part in profile.parts))


def _refitted(part: PartProfile, seen: PartProfile | None) -> PartProfile:
    if seen is None or part.kind in ("handler", "endpoint", "schedule"):
        return part
    services = []
    for service in part.services:
        other = seen.service(service.variant, service.batch)
        enough = other is not None and other.seconds.count >= BATCHES_LEAST
        services.append(replace(service, seconds=other.seconds) if other is not None and enough else service)
    return replace(part, services=tuple(services))


def _drift(profile: Profile, replications: Sequence[Replication]) -> dict[str, float]:
    """By which share the mean time of each part that is served one by one was longer than its profile says."""
    found = {}
    for part in replications[0].measured.use:
        known = profile.part(part)
        service = known.service() if known is not None else None
        if known is None or service is None or len(known.services) > 1 or service.seconds.mean <= 0:
            continue
        found[part] = fmean(one.measured.service[part] for one in replications) / service.seconds.mean - 1
    return found


def _milliseconds(name: str, off: float, prediction: Prediction) -> float:
    level: Interval = getattr(prediction, name)
    return 1000 * (level.mean - off)


def _use(part: str, prediction: Prediction) -> float:
    return next((one.use.mean for one in prediction.parts if one.part == part), 0.0)


def _off(unit: str, predicted: float, measured: float) -> float:
    return predicted - measured if unit == "use" else predicted / measured - 1
