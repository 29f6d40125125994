"""Timeouts, retries, failures, cold starts, limits and rates: what they do to requests."""

from __future__ import annotations

import numpy as np
import pytest

from parti.sim.arrivals import load_of
from parti.sim.distributions import Constant, Exponential
from parti.sim.load import Load, Poisson
from parti.sim.network import (
    END,
    Batch,
    Choice,
    ColdStart,
    Failures,
    Fork,
    Limit,
    Network,
    Rate,
    Retry,
    Station,
    tandem,
)
from parti.sim.result import Outcome, Simulated
from parti.sim.simulating import simulate


def one(service: float, at: list[float], **more: object) -> Simulated:
    """Requests at a station of constant service."""
    station = Station("only", Constant(service), **more)  # type: ignore[arg-type]
    return simulate(Network((station,), "only"), Load(np.array(at)), seed=1)


def storm(use: float, *, cancel: bool) -> Simulated:
    """Five servers of 20 ms, a timeout of 250 ms and three retries."""
    retry = Retry(timeout=0.25, attempts=4, backoff=0.05, cancel=cancel)
    network = Network((Station("only", Exponential(0.02), 5, retry=retry),), "only")
    return simulate(network, load_of(Poisson(250.0 * use), seconds=1500, seed=2), seed=2, warmup=100)


def test_at_use_80_percent_retries_do_no_harm() -> None:
    calm = storm(0.8, cancel=False)
    assert calm.share(Outcome.DONE) > 0.999
    assert calm.use()["only"] < 0.85


def test_at_use_90_percent_retries_without_cancellation_become_a_storm() -> None:
    """Work that nobody waits for takes the servers from work that somebody waits for, who gives up in turn."""
    collapsed = storm(0.9, cancel=False)
    assert collapsed.share(Outcome.TIMED_OUT) > 0.8
    assert collapsed.use()["only"] > 0.99
    assert collapsed.totals.timed_out[0] > 3 * collapsed.counted.sum()


def test_at_use_90_percent_cancellation_averts_the_storm() -> None:
    assert storm(0.9, cancel=True).share(Outcome.DONE) > 0.99


def test_an_attempt_is_given_up_at_its_timeout_and_made_again_after_the_pause() -> None:
    """One server, 1 s each; the second request waits 0.5 s, pauses 0.25 s, and is served at 1 s: its queue is gone."""
    found = one(1.0, [0.0, 0.0], retry=Retry(timeout=1.0, attempts=2, backoff=0.25))
    assert found.left.tolist() == [1.0, 2.25]
    assert found.parts
    assert found.parts.retrying[0].tolist() == [0.0, 1.25]


def test_what_completes_at_the_very_instant_of_its_timeout_is_in_time() -> None:
    assert one(1.0, [0.0], retry=Retry(timeout=1.0)).outcome.tolist() == [Outcome.DONE]


def test_pauses_grow_up_to_the_longest() -> None:
    """Nobody is ever served: attempts at 0, 1.5, 4, 8 and 12 s are each given up after 0.5 s."""
    found = one(9.0, [0.0, 0.0], retry=Retry(0.5, 5, backoff=1.0, factor=2.0, longest=3.5))
    assert found.left.tolist() == [0.5 + 1 + 0.5 + 2 + 0.5 + 3.5 + 0.5 + 3.5 + 0.5] * 2


def test_a_cancelled_request_gives_its_server_back_and_an_abandoned_one_does_not() -> None:
    """The second is given up at 1 s, 0.2 s into its service; only if it is cancelled does the third get through."""
    at = [0.0, 0.0, 0.9]
    cancelled = one(0.8, at, retry=Retry(timeout=1.0, cancel=True))
    assert cancelled.left.tolist() == [0.8, 1.0, 1.8]
    assert cancelled.outcome.tolist() == [Outcome.DONE, Outcome.TIMED_OUT, Outcome.DONE]
    abandoned = one(0.8, at, retry=Retry(timeout=1.0, cancel=False))
    assert abandoned.left.tolist() == [0.8, 1.0, 1.9]
    assert abandoned.outcome.tolist() == [Outcome.DONE, Outcome.TIMED_OUT, Outcome.TIMED_OUT]


def test_a_rejected_request_is_retried() -> None:
    """There is room for one; the second comes again when the first has gone."""
    assert one(1.0, [0.0, 0.5], room=1).outcome.tolist() == [Outcome.DONE, Outcome.REJECTED]
    assert one(1.0, [0.0, 0.5], room=1, retry=Retry(attempts=2, backoff=0.75)).left.tolist() == [1.0, 2.25]


def test_who_leaves_at_an_instant_makes_room_for_who_comes_at_it() -> None:
    assert one(1.0, [0.0, 1.0, 2.0], room=1).outcome.tolist() == [Outcome.DONE] * 3


def test_a_rate_makes_wait_or_rejects() -> None:
    """Two at once, then one every half second."""
    at = [0.0, 0.0, 0.0, 0.0]
    assert one(0.0, at, rate=Rate(2.0, burst=2)).left.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert one(0.0, at, rate=Rate(2.0, burst=2, rejects=True)).outcome.tolist() == [0, 0, 1, 1]


def test_a_batch_starts_when_it_is_full_or_its_first_has_lingered() -> None:
    """Three wait at 0.2 s and go at once; the fourth goes alone after 1 s."""
    found = one(0.1, [0.0, 0.1, 0.2, 0.3], batch=Batch(3, linger=1.0, growth=(1.0, 2.0, 3.0)))
    assert found.left.tolist() == pytest.approx([0.5, 0.5, 0.5, 1.4])
    assert found.parts
    assert found.parts.batching[0].tolist() == pytest.approx([0.2, 0.1, 0.0, 0.8])
    assert found.parts.waiting[0].tolist() == pytest.approx([0.0, 0.0, 0.0, 0.2])


def test_what_arrives_at_the_instant_of_a_dispatch_goes_along() -> None:
    """The first has lingered at 1 s, when the second comes; and a server is free at 3 s, when the fourth does."""
    found = one(2.0, [0.0, 1.0, 2.0, 3.0], batch=Batch(4, linger=1.0))
    assert found.left.tolist() == [3.0, 3.0, 5.0, 5.0]


def test_a_failed_replica_gives_its_work_to_another_or_loses_it() -> None:
    """Up for 1 s, down for 1 s: work of 0.75 s at 0.5 s begins again at 2 s, or is lost at 1 s."""
    failures = Failures(Constant(1.0), Constant(1.0))
    assert one(0.75, [0.5], failures=failures).left.tolist() == [2.75]
    lost = one(0.75, [0.5], failures=Failures(Constant(1.0), Constant(1.0), loses=True))
    assert (lost.outcome.tolist(), lost.left.tolist()) == ([Outcome.FAILED], [1.0])
    again = one(
        0.75, [0.5], failures=Failures(Constant(1.0), Constant(1.0), loses=True), retry=Retry(attempts=2, backoff=0.5)
    )
    assert again.left.tolist() == [2.75]


def test_replicas_are_up_for_the_share_of_time_that_they_should_be() -> None:
    """Up for 30 s and down for 10 s in the mean: a station that is always busy serves three quarters."""
    station = Station("only", Exponential(0.1), 4, failures=Failures(Exponential(30), Exponential(10)))
    found = simulate(Network((station,), "only"), load_of(Poisson(100), seconds=2000, seed=1), seed=1)
    assert found.use()["only"] == pytest.approx(0.75, abs=0.03)


def test_a_cold_replica_takes_longer_and_a_warm_one_is_taken_first() -> None:
    """Both are cold at first; at 2 s the one that worked last is taken; at 20 s all have idled for too long."""
    cold = ColdStart(Constant(5.0), idle=10.0)
    found = one(1.0, [0.0, 7.0, 20.0], replicas=2, cold=cold)
    assert (found.left - found.arrived).tolist() == [6.0, 1.0, 6.0]


def test_a_limit_is_held_until_the_last_of_its_calls() -> None:
    """One hand: the second request waits at the door although the first station is free."""
    network = Network(
        (Station("a", Constant(1.0)), Station("b", Constant(1.0))),
        "a",
        {"a": Choice((("b", 1.0),))},
        limits=(Limit("hand", 1, ("a", "b")),),
    )
    load = Load(np.array([0.0, 0.0]))
    assert simulate(network, load, seed=1).left.tolist() == [2.0, 4.0]
    assert simulate(tandem(*network.stations), load, seed=1).left.tolist() == [2.0, 3.0]


def test_branches_that_enter_a_limit_apart_take_a_slot_each_and_those_that_part_inside_share_one() -> None:
    """Two requests come as two branches of 1 s each: four holds one after the other, or two that both branches share."""
    stations = tuple(Station(name, Constant(seconds), 1, 9) for name, seconds in (("a", 0.5), ("b", 1.0), ("c", 1.0)))
    routes = {"a": Fork(("b", "c"))}
    load = Load(np.array([0.0, 0.0]))
    apart = Network(stations, "a", routes, limits=(Limit("hand", 1, ("b", "c")),))
    assert simulate(apart, load, seed=1).left.tolist() == [3.5, 4.5]
    inside = Network(stations, "a", routes, limits=(Limit("hand", 1, ("a", "b", "c")),))
    assert simulate(inside, load, seed=1).left.tolist() == [1.5, 3.0]


def test_a_loop_is_left_after_so_many_visits_as_failed() -> None:
    network = Network((Station("a", Constant(1.0)),), "a", {"a": Choice((("a", 0.999), (END, 0.001)))}, visits_max=20)
    found = simulate(network, Load(np.array([0.0])), seed=1)
    assert (found.outcome.tolist(), found.left.tolist()) == ([Outcome.FAILED], [20.0])


def test_attempts_that_fail_by_chance_are_made_again_and_the_last_one_goes_on() -> None:
    """Half of all attempts fail: three are made of 1 s each, 1.75 in the mean, and every request is done."""
    station = Station("only", Constant(1.0), 1, 10_000, retry=Retry(attempts=3, backoff=0.0, failing=0.5))
    found = simulate(Network((station,), "only"), load_of(Poisson(10), seconds=1000, seed=1), seed=1)
    assert found.share(Outcome.DONE) == 1.0
    assert (found.left - found.arrived).mean() == pytest.approx(1.75, abs=0.03)
    assert set(np.round(found.left - found.arrived).tolist()) == {1.0, 2.0, 3.0}


def test_a_timeout_from_the_begin_of_the_service_is_none_for_who_waits() -> None:
    """One place, 1 s each: the third waits for 2 s and is served; with a timeout of 0.5 s each is cut off when it is served."""
    at = [0.0, 0.0, 0.0]
    waits = one(1.0, at, retry=Retry(timeout=1.5, begun=True))
    assert waits.outcome.tolist() == [Outcome.DONE] * 3
    assert waits.left.tolist() == [1.0, 2.0, 3.0]
    cut = one(1.0, at, retry=Retry(timeout=0.5, begun=True))
    assert cut.outcome.tolist() == [Outcome.TIMED_OUT] * 3
    assert cut.left.tolist() == [0.5, 1.0, 1.5]


def test_work_that_cannot_stop_keeps_its_server_and_what_waits_is_taken_back() -> None:
    """The first is cut off at 0.5 s and keeps its server until 1 s; so does the second, in turn: nobody frees it sooner."""
    found = one(1.0, [0.0, 0.0, 0.0], retry=Retry(timeout=0.5, begun=True, stop=False))
    assert found.left.tolist() == [0.5, 1.5, 2.5]
    waits = one(1.0, [0.0, 0.0, 0.9], retry=Retry(timeout=0.6, stop=False))
    assert waits.left.tolist() == [0.6, 0.6, 1.5]  # the second never begins, so the third does at 1 s, for nobody


def test_a_batch_that_is_cut_off_is_cut_off_as_a_whole() -> None:
    found = one(1.0, [0.0, 0.1], batch=Batch(2, linger=1.0), retry=Retry(timeout=0.5, begun=True, stop=False))
    assert found.left.tolist() == pytest.approx([0.6, 0.6])
