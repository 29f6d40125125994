"""Intervals over replications, and plans that are compared draw for draw."""

from __future__ import annotations

import math

import numpy as np
import pytest

from parti.errors import PlanError
from parti.sim.arrivals import load_of
from parti.sim.critical import critical_parts
from parti.sim.distributions import Exponential, Lognormal
from parti.sim.load import Poisson
from parti.sim.network import Call, Choice, Fork, Network, Station
from parti.sim.replications import compare, interval, replicate
from parti.sim.result import Outcome, Simulated
from parti.sim.simulating import simulate
from parti.student import t_quantile

TABLE = {
    (0.975, 1): 12.706,
    (0.975, 2): 4.303,
    (0.975, 9): 2.262,
    (0.95, 4): 2.132,
    (0.995, 30): 2.750,
    (0.9995, 11): 4.437,
}


def mean(simulated: Simulated) -> float:
    return float(simulated.latency.mean())


def plan(service: float) -> Network:
    return Network((Station("only", Exponential(service), 4),), "only")


@pytest.mark.parametrize("entry", TABLE, ids=str)
def test_quantiles_of_t_are_those_of_the_table(entry: tuple[float, int]) -> None:
    assert t_quantile(*entry) == pytest.approx(TABLE[entry], abs=6e-4)


def test_an_interval_is_that_of_student() -> None:
    found = interval([1.0, 2.0, 3.0, 4.0])
    half = 3.182 * math.sqrt(5 / 3) / 2
    assert (found.mean, found.low, found.high) == pytest.approx((2.5, 2.5 - half, 2.5 + half), abs=1e-3)
    assert interval([1.0, math.inf]).high == math.inf


def test_one_replication_has_no_interval() -> None:
    with pytest.raises(PlanError) as raised:
        interval([1.0])
    assert raised.value.code == "P804"


def test_each_replication_is_independent_and_repeatable() -> None:
    measures = {"mean": mean, "p99": lambda one: one.quantile(0.99)}
    found = replicate(plan(0.03), Poisson(100), measures, seconds=30, warmup=5, seeds=range(5))
    again = replicate(plan(0.03), Poisson(100), measures, seconds=30, warmup=5, seeds=range(5))
    np.testing.assert_array_equal(found["p99"], again["p99"])
    assert len(set(found["mean"])) == 5
    assert (found["p99"] > found["mean"]).all()


def test_common_draws_rank_plans_right_where_independent_ones_do_not() -> None:
    """Servers that are 2% slower: with the same draws they are seen to be slower every time, else often not."""
    seeds = range(60)
    quick, slow = (
        replicate(plan(service), Poisson(100), {"mean": mean}, seconds=60, warmup=10, seeds=seeds)["mean"]
        for service in (0.0300, 0.0306)
    )
    wrong = int((slow <= quick).sum())
    shifted = np.roll(quick, 1)
    wrong_apart = int((slow <= shifted).sum())
    assert wrong == 0
    assert wrong_apart >= 6


def test_paired_differences_have_a_narrow_interval() -> None:
    found = compare(plan(0.0300), plan(0.0306), Poisson(100), mean, seconds=60, warmup=10, seeds=range(10))
    assert 0 < found.low < found.mean < found.high
    assert found.high - found.low < found.mean


def test_the_warm_up_is_left_out() -> None:
    """The first requests meet an empty system, so with them the mean is too low."""
    load = load_of(Poisson(0.9), seconds=3000, seed=1)
    network = Network((Station("only", Exponential(1.0)),), "only")
    all_of_them, later = (simulate(network, load, seed=1, warmup=warmup) for warmup in (0.0, 1000.0))
    assert later.counted.sum() < all_of_them.counted.sum()
    assert later.counted.sum() == (load.arrived >= 1000).sum()
    assert later.window == pytest.approx(float(load.arrived[-1]) - 1000.0)
    assert later.totals.busy[0] < all_of_them.totals.busy[0]


def test_who_did_not_end_well_counts_as_later_than_all() -> None:
    network = Network((Station("only", Exponential(1.0), room=2),), "only")
    found = simulate(network, load_of(Poisson(2.0), seconds=2000, seed=1), seed=1)
    lost = found.share(Outcome.REJECTED)
    assert 0.4 < lost < 0.6
    assert found.quantile(0.99 - lost) < found.quantile(0.999) == math.inf


def test_parts_of_the_critical_path_sum_to_the_latency() -> None:
    """Of two branches the slower one counts, and nothing of the other."""
    network = Network(
        (Station("in", Exponential(0.005)), Station("x", Lognormal(0.02, 1.0), 2), Station("y", Exponential(0.02), 3)),
        "in",
        {"in": Fork(("x", "y")), "x": Choice((("out", 1.0),)), "y": Choice((("more", 0.5), ("out", 0.5))),
         "more": Choice((("out", 1.0),))},
        calls=(Call("in", "in"), Call("x", "x"), Call("y", "y"), Call("more", "y"), Call("out", "in", joins=2)),
    )  # fmt: skip
    found = simulate(network, load_of(Poisson(40), seconds=100, seed=1), seed=1)
    parts = critical_parts(found)
    total = parts.waiting + parts.batching + parts.service + parts.retrying
    assert total.sum(axis=0) == pytest.approx(found.left - found.arrived)
    on_x, on_y = total[1] > 0, total[2] > 0
    assert (on_x ^ on_y).all()
    assert on_x.any() and on_y.any()
