"""Sharing: threads and the event loop of one process want the same cores, and are slower where there are too few."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plan_kit import a_desk, asked, its_profile, measured

from parti.planning.deployment import Deployed, OneProcess
from parti.planning.one_process import LOOP
from parti.planning.predicting import predict, settled
from parti.planning.sharing import between, stretched


def test_with_a_core_for_each_nobody_is_slower() -> None:
    assert stretched([1.0, 1.0], 3) == 1.0
    assert stretched([], 1) == 1.0


def test_who_shares_a_core_with_one_that_never_rests_takes_twice_as_long() -> None:
    assert stretched([1.0], 1) == 2.0
    assert stretched([0.5], 1) == 1.5
    assert stretched([0.5, 0.5], 2) == pytest.approx(0.75 + 0.25 * 1.5)


def test_rounds_go_half_the_way() -> None:
    assert between({"a": 1.2}, {"a": 1.4, "b": 1.5}) == (("a", pytest.approx(1.3)), ("b", 1.25))


def settled_on(cores: int, rate: float) -> dict[str, float]:
    """By how much the desk's step, in threads, and the loop, at 5 ms a run, are slower."""
    desk, _ = a_desk()
    slow = its_profile()
    slow = replace(slow, parts=(measured("asking", "endpoint", [0.005] * 20), *slow.parts[1:]))
    together = settled(asked(desk, slow, rate=rate).model, Deployed((), OneProcess(cores)), 1).together
    assert together is not None
    return dict(together.slower)


def test_a_thread_and_the_loop_slow_each_other_down_on_one_core() -> None:
    """The step is at work for 40 % of the time and more, the loop for 10 %: one is in the way of the other as often as that."""
    found = settled_on(1, rate=20.0)
    assert found["read"] == pytest.approx(1.1, abs=0.05)
    assert found[LOOP] == pytest.approx(1.4, abs=0.12)


def test_with_enough_cores_they_leave_each_other_alone() -> None:
    assert settled_on(16, rate=20.0) == {"read": pytest.approx(1.0), LOOP: pytest.approx(1.0)}


def test_what_waits_wants_no_core() -> None:
    assert "look_up" not in settled_on(1, rate=20.0)


def test_latency_is_longer_where_cores_are_too_few() -> None:
    desk, _ = a_desk()
    slow = its_profile()
    slow = replace(slow, parts=(measured("asking", "endpoint", [0.005] * 20), *slow.parts[1:]))
    model = asked(desk, slow, rate=20.0).model
    crowded, alone = (predict(model, Deployed((), OneProcess(cores)), range(2)) for cores in (1, 16))
    assert crowded.p50.mean > alone.p50.mean * 1.02
