"""The oracle: each prefix is simulated once, and is cut only when more requests are late than may be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lindley import replicas, tandem

from parti.optimise.found import Limits
from parti.optimise.oracle import RELAXED, LimitReached, Oracle, quantile
from parti.optimise.problem import Option, Promise

SIMULATION = tandem({"ocr": replicas(3), "llm": replicas(3)}, rate=0.8, requests=200)


def oracle(promise: Promise, **limits) -> Oracle:
    found = Limits(math.inf, **limits)
    return Oracle(SIMULATION.problem, SIMULATION, promise, seed=1, limits=found, clock=lambda: 0.0)


def choice(stage: int, number: int) -> tuple[Option, ...]:
    return (SIMULATION.problem.stages[stage].parts[0].options[number],)


def test_a_prefix_fits_with_exactly_as_many_late_requests_as_are_allowed():
    """The promise is one that exactly ten of two hundred requests miss; a little less, and eleven do."""
    plan = (choice(0, 1), choice(1, 2))
    latencies = oracle(Promise(1.0)).latencies(plan)
    seconds = quantile(latencies, 0.95)
    kept, broken = oracle(Promise(seconds, 0.95)), oracle(Promise(seconds * (1 - 1e-9), 0.95))
    assert (kept.late(plan), kept.allowed, kept.fits(plan)) == (10, 10, True)
    assert (broken.late(plan), broken.allowed, broken.fits(plan)) == (11, 10, False)


def test_a_quantile_is_the_one_at_the_nearest_rank():
    values = np.array([4.0, 1.0, 3.0, 2.0])
    assert [quantile(values, level) for level in (0.25, 0.26, 0.75, 0.99)] == [1.0, 2.0, 3.0, 4.0]
    assert math.isnan(quantile(np.empty(0), 0.5))


def test_a_prefix_is_simulated_once_and_relaxed_stages_cost_nothing():
    asked = oracle(Promise(5.0))
    for number in (0, 1, 0):
        asked.late((choice(0, 1), choice(1, number)))
    assert asked.extensions == 3
    asked.late((RELAXED, choice(1, 0)))
    asked.late((RELAXED, choice(1, 0)))
    assert asked.extensions == 4


def test_a_share_of_the_limit_ends_and_gives_back_the_whole():
    asked = oracle(Promise(5.0), extensions=4)
    with pytest.raises(LimitReached), asked.part_of_the_time(0.5):
        for number in range(3):
            asked.late((choice(0, number),))
    assert asked.extensions == 2
    asked.late((choice(0, 2), choice(1, 0)))
    with pytest.raises(LimitReached):
        asked.check()
