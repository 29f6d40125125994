"""Lasting: machines fail, so that plans keep a replica in hand where a promise of availability needs it."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pytest
from plan_kit import FAST, LARGE, PRICES, a_desk, asked, its_profile, made

from parti import PartiError, Slo
from parti.planning.asked import Asked
from parti.planning.deployment import Deployed, Deployment
from parti.planning.foreseeing import broken, foresee
from parti.planning.lasting import Failures, failures_of, failures_on, least_serving, there
from parti.planning.overload import available, steady
from parti.planning.prices import PriceList, prices_of
from parti.sim.distributions import Constant, Exponential
from parti.sim.load import Load
from parti.sim.network import Failures as Failing
from parti.sim.network import Network, Station
from parti.sim.simulating import simulate

OFTEN = Failures(mtbf=30 * 86400.0, repair=600.0)
"""Once in 30 days, for ten minutes: a replica is up for 99.977 % of the time."""


def desk(availability: float, **facts: Any) -> Asked:
    """The desk of the kit under a load that one replica of each part serves, with this promise."""
    return asked(a_desk(Slo(p99="500ms", availability=availability))[0], its_profile(), rate=20.0, **facts)


def test_a_plan_keeps_one_replica_more_where_its_promise_needs_it() -> None:
    """One replica of each part serves the load; but both are there together for 99.95 % of the time only."""
    modest, eager = (made(desk(share, failures=OFTEN)) for share in (0.999, 0.9999))
    assert {one.part: one.replicas for one in modest.deployed.parts if one.machine} == {"asking": 1, "read": 1}
    assert {one.part: one.replicas for one in eager.deployed.parts if one.machine} == {"asking": 2, "read": 2}
    assert eager.kept and eager.prediction.done.low >= 0.9999 > modest.prediction.done.high
    assert all("promised availability" in part.reason for part in eager.parts if part.deployment.machine)


def test_without_a_word_on_failures_replicas_are_up_and_a_note_says_so() -> None:
    found = made(desk(0.9999))
    assert found.prediction.there == 1.0
    assert any("nobody said how often machines fail" in note for note in found.notes)


def test_a_lost_replica_of_a_plan_with_one_in_hand_breaks_nothing() -> None:
    """While one is lost no other one is, so that the promise of availability is not asked of what is left."""
    found = made(desk(0.9999, failures=OFTEN))
    lost = [change for change in found.sensitivity if "loses a replica" in change.what]
    assert len(lost) == 2 and all(change.kept for change in lost)


def test_a_prediction_is_less_by_the_time_in_which_too_few_are_up() -> None:
    """At 120 a second `read` needs three replicas of its 20 ms: of three all must be up, of four three."""
    question = replace(desk(0.95), failures=Failures(9.0, 1.0)).scaled(6.0)
    for replicas, share in ((3, 0.9**3), (4, 0.9**4 + 4 * 0.9**3 * 0.1)):
        deployed = Deployed((Deployment("read", replicas, machine="own/large"),))
        found = foresee(question, deployed, range(2))
        assert found.there == pytest.approx(share)
        assert found.done.mean == pytest.approx(share)
        said = broken(question, deployed, found, cost=0.0, quality=1.0)
        assert "fewer requests end well than promised" in said


def test_what_the_simulator_does_with_failures_is_what_is_reckoned() -> None:
    """Three replicas that are up for 90 % of the time: as often as two or more are, a busy station serves two or three at once."""
    failing = Failing(Exponential(90.0), Exponential(10.0))
    station = Station("only", Constant(0.5), 3, failures=failing)
    found = simulate(Network((station,), "only"), Load(np.sort(np.full(60_000, 0.0))), seed=3)
    per_second = np.bincount(np.floor(found.left[found.left < 9000]).astype(int))
    assert np.mean(per_second >= 3.5) == pytest.approx(there(3, 2, 0.9), abs=0.02)


def test_a_promise_that_no_number_of_replicas_keeps_is_refused() -> None:
    with pytest.raises(PartiError, match="P837") as wrong:
        made(desk(0.999999, failures=Failures(60.0, 600.0)))
    assert "the best is there for" in str(wrong.value) and "allow more replicas" in str(wrong.value)


def test_the_promise_is_shared_out_among_the_parts_whose_machines_fail() -> None:
    """Two parts have the square root of it each."""
    question = desk(0.9, failures=OFTEN)
    menus = {part.name: part.options for part in steady(replace(question, failures=Failures(15.0, 1.0))).parts()}
    for name in ("asking", "read"):
        shares = [available(replace(question, failures=Failures(15.0, 1.0)), one.label) for one in menus[name]]
        assert min(shares) >= 0.9**0.5


def test_at_least_so_many_of_so_many_are_up() -> None:
    assert there(3, 2, 0.9) == pytest.approx(0.9**3 + 3 * 0.9**2 * 0.1)
    assert (there(1, 2, 0.9), there(5, 0, 0.9)) == (0.0, pytest.approx(1.0))
    assert [least_serving(8, lambda one, least=least: one >= least) for least in (1, 5, 8, 9)] == [1, 5, 8, 9]


def test_the_price_list_says_it_of_a_machine_and_the_option_of_all_others() -> None:
    prices = PriceList("test", (replace(LARGE, mtbf=3600.0, repair=60.0), FAST))
    assert failures_on(prices, "own/large", OFTEN) == Failures(3600.0, 60.0)
    assert failures_on(prices, "own/fast", OFTEN) == OFTEN
    assert failures_on(prices, "own/fast", None) is None
    assert failures_on(PRICES, "", OFTEN) is None


LIST = """
[sources.rack]
url = "our books"
date = "2026-11-01"

[[machine]]
name = "own/rack"
region = "home"
kind = "general"
vcpu = 8
memory_gib = 32
usd_per_hour = 0.05
source = "rack"
"""


def test_failures_are_read_from_the_price_list() -> None:
    read = prices_of(f"{LIST}mtbf_hours = 720\nrepair_seconds = 300\n", "mine.toml").machine("own/rack")
    assert read is not None and (read.mtbf, read.repair) == (720 * 3600.0, 300.0)


@pytest.mark.parametrize(
    ("more", "code"),
    [("mtbf_hours = 720\n", "P823"), ("mtbf_hours = 0\nrepair_seconds = 300\n", "P822"), ("mtbf_days = 3\n", "P824")],
)
def test_half_of_what_is_needed_is_refused(more: str, code: str) -> None:
    with pytest.raises(PartiError, match=code):
        prices_of(LIST + more, "mine.toml")


@pytest.mark.parametrize("text", ["monthly", "30d", "30d/", "/5m", "0s/5m", "30d/-5m", "30 days/5m"])
def test_what_says_nothing_of_failures_is_refused(text: str) -> None:
    with pytest.raises(PartiError, match="P838"):
        failures_of(text)


def test_an_option_says_how_often_and_for_how_long() -> None:
    assert failures_of("30d/10m") == OFTEN


@pytest.mark.parametrize("up", [0.3, 0.9, 0.999884])
def test_how_often_enough_replicas_are_up_is_the_binomial_sum(up: float) -> None:
    """By hand, with whole numbers: the sum over all numbers of replicas that are up."""
    for replicas, least in ((1, 1), (2, 1), (5, 4), (40, 31), (200, 190)):
        each = (comb(replicas, one) * up**one * (1.0 - up) ** (replicas - one) for one in range(least, replicas + 1))
        assert there(replicas, least, up) == pytest.approx(sum(each), rel=1e-9)
    assert there(3, 4, up) == 0.0


def test_how_often_enough_of_a_million_replicas_are_up_is_known_too() -> None:
    """No power of a probability and no binomial coefficient of so many fits into a float; the normal distribution is close."""
    assert there(1_000_000, 900_000, 0.9) == pytest.approx(0.5, abs=0.001)
    assert there(1_000_000, 900_000 - 600, 0.9) == pytest.approx(0.97725, abs=0.001)
    assert there(1_000_000, 1, 0.999) == pytest.approx(1.0)
    assert there(1_000_000, 0, 0.999) == there(5, 5, 1.0) == 1.0


def test_what_the_load_needs_is_not_said_to_be_there_for_the_availability() -> None:
    """At 80 a second two replicas of `read` are needed, whatever fails; they are there often enough for the promise."""
    found = made(replace(desk(0.99, failures=OFTEN)).scaled(4.0))
    (read,) = (part for part in found.parts if part.deployment.part == "read")
    assert read.deployment.replicas == 2
    assert "availability" not in read.reason
