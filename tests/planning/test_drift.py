"""Drift: what recent traffic says otherwise than a kept profile, apart from the error of what predicts from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from profile_kit import graph_of, part, profile

from parti.planning.drift import account, drift
from parti.planning.profile import ArrivalsSeen, Contention, Outcomes

STEADY = (0.010, 0.011, 0.009) * 10
SLOWER = (0.015, 0.016, 0.014) * 10


def test_a_part_that_became_slower_is_named_with_both_intervals() -> None:
    found = drift(profile(part("a", *STEADY), part("b", *STEADY)), profile(part("a", *SLOWER), part("b", *STEADY)))
    (one,) = found.moved
    assert (one.part, one.of, one.count) == ("a", "seconds", 30)
    assert one.ratio == pytest.approx(1.5)
    assert one.stored[2] < one.recent[1]
    assert len(found.drifts) == 2


def test_a_difference_within_the_intervals_or_under_5_percent_is_no_drift() -> None:
    noisy = drift(profile(part("a", 0.010, 0.020)), profile(part("a", 0.015, 0.026)))
    assert noisy.moved == ()
    sure = drift(profile(part("a", *[0.0100] * 30)), profile(part("a", *[0.0103] * 30)))
    assert sure.moved == ()


def test_variants_and_sizes_of_batches_are_compared_with_their_like() -> None:
    found = drift(profile(part("a", *STEADY, variant="v1")), profile(part("a", *SLOWER, variant="v2")))
    assert found.drifts == ()


def test_failures_visits_and_shares_drift_too() -> None:
    def outcomes(done: int, failed: int) -> Outcomes:
        return Outcomes(done + failed, done, failed, 0, 0, 0, done + failed)

    before = profile(
        replace(part("a", *STEADY), outcomes=outcomes(99, 1)),
        graphs=(graph_of("h", [[("a",)]] * 90 + [[]] * 10),),
        arrivals=(ArrivalsSeen("h", 900, 1.0, 1.0), ArrivalsSeen("k", 100, 1.0, 1.0)),
    )
    after = profile(
        replace(part("a", *STEADY), outcomes=outcomes(80, 20)),
        graphs=(graph_of("h", [[("a",)]] * 40 + [[]] * 60),),
        arrivals=(ArrivalsSeen("h", 500, 1.0, 1.0), ArrivalsSeen("k", 500, 1.0, 1.0)),
    )
    found = {(one.part, one.of): one for one in drift(before, after).moved}
    assert set(found) == {("a", "failures"), ("a", "visits"), ("h", "share"), ("k", "share")}
    assert found["a", "failures"].recent[0] == 0.2
    assert (found["a", "visits"].caller, found["a", "visits"].ratio) == ("h", pytest.approx(4 / 9))


def test_parts_that_only_one_of_both_knows_are_listed_and_what_forbids_comparing_is_said() -> None:
    ruined = Contention(True, ("noise",), 0.5, 0.0, 0.0, 0.0)
    before = replace(profile(part("a", 1.0), contention=ruined), source="load", design="old")
    found = drift(before, profile(part("b", 1.0), at_once=8.2))
    assert (found.only_stored, found.only_recent) == (("a",), ("b",))
    assert len(found.caveats) == 3
    assert "measured under contention" in found.caveats[0]
    assert "8 runs were at work at once" in found.caveats[2]


def test_the_error_of_a_prediction_is_told_apart_into_drift_and_model() -> None:
    (one,) = account({"p99": 0.120, "x": 1.0}, {"p99": 0.150, "x": 0.0}, {"p99": 0.160, "x": 1.0})
    assert one.drift == pytest.approx(-0.2)
    assert one.model == pytest.approx(-0.0625)
    assert one.total == pytest.approx(-0.25)
    assert 1 + one.total == pytest.approx((1 + one.drift) * (1 + one.model))
