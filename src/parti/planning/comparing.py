"""Comparing two plans: the same requests meet the same draws in both, so what differs is due to the plans alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parti.optimise.trials import quantile
from parti.planning.asked import Asked
from parti.planning.deployment import Deployed
from parti.planning.predicting import LEVELS, Prediction, latencies, predict, simulated
from parti.sim.replications import Interval, interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two plans under one load. The differences (second less first, seconds) are paired, run by run."""

    first: Prediction
    second: Prediction
    first_usd_per_hour: float
    second_usd_per_hour: float
    p50: Interval
    p95: Interval
    p99: Interval


def compare(asked: Asked, first: Deployed, second: Deployed, seeds: Sequence[int]) -> Comparison:
    """Both plans, over one replication for each of the seeds (at least two)."""
    one, two = (_quantiles(asked, deployed, seeds) for deployed in (first, second))
    differences = [
        interval([after - before for before, after in zip(a, b, strict=True)]) for a, b in zip(one, two, strict=True)
    ]
    return Comparison(
        predict(asked.model, first, seeds), predict(asked.model, second, seeds), _cost(asked, first), _cost(asked, second),
        *differences,
    )  # fmt: skip


def _cost(asked: Asked, deployed: Deployed) -> float:
    """USD per hour."""
    return sum(asked.space.cost(deployment) for deployment in deployed.parts)


def _quantiles(asked: Asked, deployed: Deployed, seeds: Sequence[int]) -> list[list[float]]:
    """For each level the latency in each run."""
    network = asked.model.network(deployed)
    runs = [simulated(asked.model, network, seed) for seed in seeds]
    taken = [latencies(one.run, one.counted) for one in runs]
    return [[quantile(one, level) for one in taken] for level in LEVELS]
