"""Capacity bounds: never more late requests than in truth, and enough to refuse what is overloaded."""

from __future__ import annotations

import heapq

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parti.optimise.capacity import late_least


def first_come_first_served(came: np.ndarray, work: np.ndarray, servers: int) -> np.ndarray:
    """When each request leaves a station, in order of arrival."""
    free = [0.0] * servers
    left = np.empty_like(came)
    for request, (arrived, seconds) in enumerate(zip(came, work, strict=True)):
        left[request] = max(arrived, heapq.heappop(free)) + seconds
        heapq.heappush(free, left[request])
    return left


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.floats(0.2, 3), st.floats(1.0, 20.0))
def test_a_bound_is_at_most_what_is_late_in_truth(seed, servers, load, slack):
    draw = np.random.default_rng(seed)
    arrived = np.cumsum(draw.exponential(1.0, 200))
    upstream = draw.exponential(1.0, 200)
    work = draw.exponential(load * servers, 200)
    order = np.argsort(arrived + upstream, kind="stable")
    left = np.empty(200)
    left[order] = first_come_first_served((arrived + upstream)[order], work[order], servers)
    late = int((left - arrived > slack).sum())
    assert late_least(arrived, arrived + slack, work, servers) <= late
    assert late_least(arrived + upstream, arrived + slack, work, servers) <= late


def test_an_overloaded_station_is_late_for_what_it_cannot_do():
    """Twice the work that one server can do: half of a thousand are late, but for the slack."""
    arrived = np.arange(1000.0)
    bound = late_least(arrived, arrived + 10, np.full(1000, 2.0), 1)
    assert 485 <= bound <= 500
    assert late_least(arrived, arrived + 10, np.full(1000, 2.0), 2) == 0


def test_two_bursts_count_each():
    burst = np.concatenate([np.zeros(50), np.full(50, 1000.0)])
    one = late_least(burst[:50], burst[:50] + 10, np.ones(50), 1)
    assert one == 40
    assert late_least(burst, burst + 10, np.ones(100), 1) == 80


def test_a_request_that_comes_after_its_time_is_late_once():
    """It leaves its window no length, so more work is missing than it has."""
    assert late_least(np.array([7.0]), np.array([6.0]), np.array([0.1]), 1) == 1


def test_nothing_asked_is_never_late():
    empty = np.empty(0)
    assert late_least(empty, empty, empty, 1) == 0
    assert late_least(np.zeros(1), np.full(1, 5.0), np.ones(1), 1) == 0
