"""Networks and loads that cannot be are refused with a code, and unstable ones are reported, not refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from parti.errors import PlanError
from parti.sim.arrivals import load_of
from parti.sim.distributions import Constant, Empirical, Exponential, Lognormal
from parti.sim.load import Load, Poisson
from parti.sim.network import (
    END,
    Batch,
    Call,
    Choice,
    ColdStart,
    Failures,
    Fork,
    Limit,
    Llm,
    Network,
    Rate,
    Retry,
    Station,
    tandem,
)
from parti.sim.offered import offered_use, unstable, visit_ratios
from parti.sim.result import Outcome
from parti.sim.simulating import simulate

GOOD = Station("a", Exponential(0.1))
STATIONS = [
    replace(GOOD, service=Exponential(-1.0)),
    replace(GOOD, service=Exponential(0.0)),
    replace(GOOD, service=Constant(math.nan)),
    replace(GOOD, service=Lognormal(1.0, 0.0)),
    replace(GOOD, service=Empirical((1.0, 0.5))),
    replace(GOOD, service=Empirical((1.0,))),
    replace(GOOD, replicas=0),
    replace(GOOD, concurrency=0),
    replace(GOOD, room=0),
    replace(GOOD, name=END),
    replace(GOOD, batch=Batch(0)),
    replace(GOOD, batch=Batch(2, linger=-1.0)),
    replace(GOOD, batch=Batch(2, growth=(1.0,))),
    replace(GOOD, rate=Rate(0.0)),
    replace(GOOD, rate=Rate(1.0, burst=0)),
    replace(GOOD, retry=Retry(timeout=0.0)),
    replace(GOOD, retry=Retry(attempts=0)),
    replace(GOOD, retry=Retry(backoff=-1.0)),
    replace(GOOD, retry=Retry(jitter=1.5)),
    replace(GOOD, failures=Failures(Constant(0.0), Constant(1.0))),
    replace(GOOD, cold=ColdStart(Constant(1.0), idle=-1.0)),
    replace(GOOD, replicas=1_000_000, failures=Failures(Constant(1.0), Constant(1.0))),
    Station("a", Llm(0)),
    Station("a", Llm(2, step_seconds=-0.1)),
    Station("a", Llm(2), batch=Batch(2)),
]


def refused(network: Network, load: Load | None = None) -> PlanError:
    with pytest.raises(PlanError) as raised:
        simulate(network, load or Load(np.array([0.0])), seed=1)
    assert raised.value.fix
    return raised.value


@pytest.mark.parametrize("station", STATIONS, ids=str)
def test_a_station_that_cannot_be_is_refused(station: Station) -> None:
    assert refused(Network((station,), station.name)).code == "P801"


@pytest.mark.parametrize(
    "changed",
    [
        {"stations": ()},
        {"stations": (GOOD, GOOD)},
        {"visits_max": 0},
        {"calls": (Call("a", "nowhere"),)},
        {"calls": (Call("a", "a"), Call("a", "a"))},
        {"calls": (Call("a", "a", joins=0),)},
        {"calls": (Call("a", "a", Llm(3)),)},
        {"limits": (Limit("l", 0, ("a",)),)},
        {"limits": (Limit("l", 1, ("b",)),)},
        {"limits": (Limit("l", 1, ("a",)), Limit("m", 1, ("a",)))},
    ],
    ids=str,
)
def test_calls_and_limits_that_cannot_be_are_refused(changed: dict[str, object]) -> None:
    assert refused(replace(Network((GOOD,), "a"), **changed)).code == "P801"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "routes", "says"),
    [
        ("b", {}, "the entry 'b' is no call"),
        ("a", {"a": Choice((("b", 1.0),))}, "leads to 'b', which is no call"),
        ("a", {"b": Choice(((END, 1.0),))}, "leads to 'b', which is no call"),
        ("a", {"a": Choice(((END, 0.5), ("a", 0.4)))}, "sum to 0.9"),
        ("a", {"a": Choice(((END, 1.5), ("a", -0.5)))}, "sum to 1"),
        ("a", {"a": Choice((("a", 1.0), (END, 0.0)))}, "never reaches the end"),
        ("a", {"a": Fork(())}, "has no target"),
    ],
)
def test_a_route_that_cannot_be_is_refused(entry: str, routes: dict[str, Choice | Fork], says: str) -> None:
    error = refused(Network((GOOD,), entry, routes))
    assert error.code == "P802"
    assert says in error.what


@pytest.mark.parametrize(
    "load",
    [
        Load(np.array([1.0, 0.5])),
        Load(np.array([-1.0])),
        Load(np.array([math.inf])),
        Load(np.zeros((2, 2))),
        Load(np.array([0.0, 1.0]), np.array([0, 1])),
        Load(np.array([0.0, 1.0]), np.array([0])),
    ],
    ids=["backwards", "before 0", "infinite", "no list", "no call", "too few entries"],
)
def test_a_load_that_cannot_be_is_refused(load: Load) -> None:
    assert refused(Network((GOOD,), "a"), load).code == "P803"


def test_an_empty_load_has_no_figures_and_no_error() -> None:
    nothing = simulate(tandem(GOOD), Load(np.zeros(0)), seed=1)
    assert math.isnan(nothing.quantile(0.99))
    assert nothing.use() == {"a": 0.0}


def test_branches_that_are_joined_with_nothing_never_end() -> None:
    network = Network((GOOD,), "a", calls=(Call("a", "a", joins=2),))
    for kernel in ("stages", "events"):
        stuck = simulate(network, Load(np.array([0.0])), seed=1, kernel=kernel)  # type: ignore[arg-type]
        assert stuck.outcome.tolist() == [Outcome.UNFINISHED]
        assert np.isnan(stuck.left[0])


def test_an_unstable_station_is_reported_before_and_after() -> None:
    """Its offered use is 1.5; the simulation shows it busy all the time and falling behind."""
    network = tandem(Station("slow", Exponential(0.15)), Station("quick", Exponential(0.01)))
    assert offered_use(network, 10.0) == pytest.approx({"slow": 1.5, "quick": 0.1})
    assert unstable(network, 10.0) == ("slow",)
    found = simulate(network, load_of(Poisson(10), seconds=500, seed=1), seed=1)
    assert found.use()["slow"] > 0.99
    assert found.quantile(0.99) > 100
    assert found.throughput()["slow"] == pytest.approx(1 / 0.15, rel=0.05)


def test_visits_follow_from_the_traffic_equations() -> None:
    network = Network(
        (GOOD, Station("b", Exponential(0.1)), Station("c", Exponential(0.1))),
        "a",
        {"a": Fork(("b", "c")), "b": Choice((("d", 1.0),)), "c": Choice((("d", 0.5), ("c", 0.5)))},
        calls=(Call("a", "a"), Call("b", "b"), Call("c", "c"), Call("d", "a", joins=2)),
    )
    assert visit_ratios(network) == pytest.approx({"a": 1.0, "b": 1.0, "c": 2.0, "d": 1.0})
    found = simulate(network, load_of(Poisson(1.0), seconds=20_000, seed=1), seed=1)
    assert found.throughput() == pytest.approx({"a": 2.0, "b": 1.0, "c": 2.0}, rel=0.05)


def test_offered_use_knows_batches_engines_failures_and_rates() -> None:
    stations = (
        Station("batched", Constant(0.1), 2, batch=Batch(4, growth=(1.0, 1.2, 1.4, 1.6))),
        Station("model", Llm(8, Constant(100), Constant(41), 0.01, 0.001, 0.01, 0.001), 2),
        Station("failing", Constant(0.1), 4, failures=Failures(Exponential(30), Exponential(10))),
        Station("limited", Constant(0.0), rate=Rate(20.0)),
    )
    use = offered_use(tandem(*stations), 10.0)
    assert use == pytest.approx(
        {"batched": 10 * 0.04 / 2, "model": 10 * (0.11 + 40 * 0.00225) / 2, "failing": 1 / 3, "limited": 0.5}
    )
