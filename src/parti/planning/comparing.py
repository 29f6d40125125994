"""Comparing two plans: the same requests meet the same draws in both, so what differs is due to the plans alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parti.optimise.oracle import quantile
from parti.planning.asked import Asked
from parti.planning.deployment import Deployed
from parti.planning.foreseeing import less_the_lost
from parti.planning.predicting import LEVELS, Prediction, latencies, predicted_by, simulated
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
    (one, before), (two, after) = (_simulated(asked, deployed, seeds) for deployed in (first, second))
    differences = [
        interval([late - early for early, late in zip(a, b, strict=True)]) for a, b in zip(before, after, strict=True)
    ]
    return Comparison(one, two, asked.cost(first), asked.cost(second), *differences)


def _simulated(asked: Asked, deployed: Deployed, seeds: Sequence[int]) -> tuple[Prediction, list[list[float]]]:
    """What a plan does, and for each level the latency in each run."""
    network = asked.model.network(deployed)
    runs = [simulated(asked.model, network, seed) for seed in seeds]
    taken = [latencies(one.run, one.counted) for one in runs]
    levels = [[quantile(one, level) for one in taken] for level in LEVELS]
    return less_the_lost(asked, deployed, predicted_by(asked.model, network, runs)), levels
