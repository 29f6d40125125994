"""The two networks that simulators are measured on, what is exactly true of them, and how a measurement is taken."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

SERVICE, SERVERS, RATE = 0.03, 4, 100.0
"""Seconds in the mean (exponential), servers of each station, requests a second (Poisson): use 0.75."""
BACK = 0.2
"""In the loop: the share that goes from the second of three stations back to the first."""
SPAN = 1000.0
"""Simulated seconds of one run: some 100,000 requests."""
EVENTS_PER_VISIT = 3
"""Model events: a request arrives at a station, its service starts, it leaves. Every simulator is counted alike."""


def arguments() -> Namespace:
    """``--kind`` row or loop, ``--seconds`` (how long to measure, about), ``--directory`` (unused)."""
    parser = ArgumentParser()
    parser.add_argument("--kind", choices=("row", "loop", "retries", "start"), default="row")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--directory")
    return parser.parse_args()


def rates() -> dict[str, float]:
    """The rate from outside for each kind, so that the busiest station's use is 0.75."""
    return {"row": RATE, "loop": RATE * (1.0 - BACK)}


def mean_latency(kind: str) -> float:
    """The exact mean latency in seconds: Jackson's theorem and Erlang's formula."""
    inside = {"row": (RATE, RATE, RATE), "loop": (RATE, RATE, RATE * (1.0 - BACK))}[kind]
    return sum(rate * _sojourn(rate * SERVICE) for rate in inside) / rates()[kind]


def _sojourn(load: float) -> float:
    blocked = 1.0
    for number in range(1, SERVERS + 1):
        blocked = load * blocked / (number + load * blocked)
    waits = blocked / (1.0 - load / SERVERS * (1.0 - blocked))
    return SERVICE + waits * SERVICE / (SERVERS - load)


def measured(kind: str, seconds: float, run: Callable[[float, int], tuple[int, float]]) -> dict[str, float]:
    """Figures of ``run(simulated seconds, seed)``, which gives model events and mean latency, repeated with other seeds for `seconds`.

    Time is that of the processor, since a simulator waits for nothing: other programs on the machine disturb it less.
    The mean latency of all runs must be within 10% of the exact one: a wrong answer must not look fast.
    """
    span = SPAN if seconds >= 0.5 else 0.04 * SPAN
    took, events, means = 0.0, 0, []
    while took < seconds:
        began = time.process_time()
        happened, mean = run(span, len(means) + 1)
        took += time.process_time() - began
        events += happened
        means.append(mean)
    exact = mean_latency(kind)
    error = abs(sum(means) / len(means) / exact - 1.0)
    if span == SPAN and error > 0.1:
        raise AssertionError(f"a mean latency {error:.0%} from the exact {exact:.4f} s")
    return {"model_events_per_second": events / took, "mean_latency_error": error}
