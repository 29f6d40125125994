"""The event loop and the kernels of single stations give the same bits, and a prefix of stages may be extended in several ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from sim_networks import assert_same, feed_forward, loads

from parti.errors import PlanError
from parti.sim.arrivals import load_of
from parti.sim.distributions import Constant, Exponential, Gamma, Lognormal
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
from parti.sim.simulating import begin, extend, finish, simulate, stages

SLOW = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(network=feed_forward(), load=loads())
def test_both_kernels_agree_on_feed_forward_networks(network: Network, load: Load) -> None:
    """With batches, bounded queues, rates, forks, joins and language models, and much that happens at one instant."""
    assert_same(simulate(network, load, seed=1), simulate(network, load, seed=1, kernel="events"))


LLM = Llm(4, Constant(100), Gamma(30, 1), 0.002, 0.0001, 0.01, 0.001, prompt_growth=50)
MIXED = {
    "a loop": Network(
        (Station("in", Exponential(0.01)), Station("a", Exponential(0.01), 2), Station("b", Exponential(0.01), 2),
         Station("out", Lognormal(0.01, 2), 2)),
        "in",
        {"in": Choice((("a", 1.0),)), "a": Choice((("b", 1.0),)), "b": Choice((("a", 0.3), ("out", 0.7)))},
    ),
    "an agent": Network(
        (Station("model", LLM, 3, retry=Retry(4.0, 2)), Station("tool", Exponential(0.05), 3), Station("end", Constant(0.01), 2)),
        "model",
        {"model": Choice((("tool", 0.5), ("end", 0.5))), "tool": Choice((("model", 1.0),))},
    ),
    "retries": tandem(
        Station("in", Exponential(0.01), 2),
        Station("a", Exponential(0.03), 3, room=5, retry=Retry(0.1, 3, 0.05, jitter=0.5, cancel=False)),
        Station("b", Exponential(0.03), 4, retry=Retry(0.1, 3)),
    ),
    "attempts that fail": tandem(
        Station("in", Exponential(0.01), 2, retry=Retry(attempts=3, backoff=0.05, jitter=1.0, failing=0.2)),
        Station("a", Exponential(0.03), 5, retry=Retry(0.1, 3, 0.05, begun=True, failing=0.1)),
        Station("b", Exponential(0.02), 4, batch=Batch(3, 0.01), retry=Retry(0.05, 3, 0.02, begun=True)),
        Station("c", Exponential(0.03), 6, failures=Failures(Exponential(10), Exponential(1)), retry=Retry(0.2, 3, 0.05, begun=True)),
        Station("d", Exponential(0.03), 5, retry=Retry(0.15, 4, 0.05, stop=False)),
    ),
    "failures": tandem(
        Station("a", Exponential(0.03), 6, failures=Failures(Exponential(10), Exponential(1)), cold=ColdStart(Constant(0.2), 5)),
        Station("b", Exponential(0.02), 2, 3, batch=Batch(4, 0.01), failures=Failures(Exponential(9), Exponential(1), loses=True),
                retry=Retry(1.0, 3)),
        Station("c", Exponential(0.01), 2, rate=Rate(70)),
    ),
    "a limit": Network(
        (Station("in", Exponential(0.005)), Station("a", Exponential(0.01), 2), Station("b", Exponential(0.02), 3)),
        "in",
        {"in": Fork(("a", "b")), "a": Choice((("c", 1.0),)), "b": Choice((("c", 1.0),))},
        calls=(Call("in", "in"), Call("a", "a"), Call("b", "b"), Call("c", "a", Constant(0.0), joins=2)),
        limits=(Limit("hands", 3, ("a", "b", "c")),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MIXED)
def test_condensed_networks_give_the_bits_of_the_whole(name: str) -> None:
    """What only the event loop can do is one stage among others that need it not."""
    network = MIXED[name]
    load = load_of(Poisson(60.0 if name != "an agent" else 5.0), seconds=60, seed=2)
    staged = simulate(network, load, seed=7, warmup=5)
    assert_same(staged, simulate(network, load, seed=7, warmup=5, kernel="events"))
    assert (staged.outcome == 0).mean() > 0.5


def test_another_seed_gives_other_draws() -> None:
    load = load_of(Poisson(50), seconds=20, seed=1)
    one, other = (simulate(MIXED["a loop"], load, seed=seed) for seed in (1, 2))
    assert not np.array_equal(one.left, other.left)


def test_a_prefix_is_extended_in_several_ways_and_gives_what_each_whole_plan_gives() -> None:
    network = MIXED["retries"]
    load = load_of(Poisson(60), seconds=30, seed=3)
    first = extend(begin(network, load, seed=5))
    for replicas in (2, 5):
        changed = replace(network.stations[1], replicas=replicas)
        plan = replace(network, stations=(network.stations[0], changed, network.stations[2]))
        second = extend(first, {"a": changed})
        assert_same(finish(extend(second)), simulate(plan, load, seed=5, parts=False))
        whole = simulate(plan, load, seed=5, parts=False)
        done = whole.outcome == 0
        assert (second.reached[done] <= whole.left[done]).all()
        assert np.isinf(second.reached[~done]).any()


def test_only_stations_of_the_next_stage_may_be_replaced() -> None:
    network = MIXED["retries"]
    start = begin(network, load_of(Poisson(1), seconds=5, seed=3), seed=5)
    with pytest.raises(PlanError, match="not a station of the next stage") as raised:
        extend(start, {"b": network.stations[2]})
    assert raised.value.code == "P801"
    with pytest.raises(PlanError, match="3 stages are left"):
        finish(start)


def test_stages_come_in_an_order_in_which_nothing_comes_back() -> None:
    assert [stage.stations for stage in stages(MIXED["a loop"])] == [("in",), ("a", "b"), ("out",)]
    assert [stage.events for stage in stages(MIXED["a loop"])] == [False, True, False]


def test_draws_are_known_by_name_so_a_new_station_leaves_the_others_alone() -> None:
    one = tandem(Station("a", Exponential(0.01), 2), Station("b", Exponential(0.01), 2))
    new = Station("new", Exponential(0.001), 9)
    two = Network(
        (new, *one.stations),
        "a",
        {"a": Choice((("b", 1.0),)), "b": Choice((("new", 1.0),)), "new": Choice(((END, 1.0),))},
    )
    load = load_of(Poisson(50), seconds=20, seed=3)
    before, after = (simulate(each, load, seed=1).parts for each in (one, two))
    assert before and after
    np.testing.assert_array_equal(before.service, after.service[1:])


def test_a_replacement_that_retries_turns_its_stage_to_the_event_loop_and_another_turns_it_back() -> None:
    """Whether a stage of one station needs the event loop is up to that station; packed stages are shared, and never mixed up."""
    network = tandem(
        Station("in", Exponential(0.01), 2), Station("a", Exponential(0.03), 3), Station("b", Gamma(0.02, 2), 3)
    )
    load = load_of(Poisson(70), seconds=20, seed=5)
    first = extend(begin(network, load, seed=5, warmup=2.0))
    plain, retrying = Station("a", Exponential(0.03), 4), Station("a", Exponential(0.03), 3, retry=Retry(0.1, 3))
    for changed in (plain, retrying, plain, retrying):
        second = extend(first, {"a": changed})
        assert second.stages[1].events == (changed is retrying)
        whole = replace(network, stations=(network.stations[0], changed, network.stations[2]))
        assert_same(finish(extend(second)), simulate(whole, load, seed=5, warmup=2.0, parts=False))


def test_a_replacement_that_cannot_be_is_refused_although_others_were_packed_before() -> None:
    network = tandem(Station("a", Exponential(0.03), 3), Station("b", Exponential(0.02), 3))
    start = begin(network, load_of(Poisson(70), seconds=2, seed=5), seed=5)
    extend(start, {"a": Station("a", Exponential(0.03), 4)})
    for wrong in (Station("a", Constant(-1.0), 4), Station("a", Exponential(0.03), 0)):
        with pytest.raises(PlanError, match="P801"):
            extend(start, {"a": wrong})
