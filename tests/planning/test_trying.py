"""Trying again: retries and timeouts as they are declared, and failures as they were measured, are in a prediction."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random
from statistics import fmean
from typing import Any

import pytest
from engine_kit import Order, World, orders, play
from plan_kit import asked, measured
from profile_kit import graph_of, profile

from parti import Retry, Slo, System
from parti.planning.deployment import Deployed, Deployment, OneProcess
from parti.planning.predicting import Prediction, predict, simulated
from parti.planning.profile import Outcomes, PartProfile, Profile
from parti.planning.space import capacity
from parti.planning.traffic import profile_of_traffic
from parti.planning.trying import failing, manners
from parti.ports.store import RunRecord
from parti.sim.distributions import Constant
from parti.sim.network import Retry as Manners
from parti.sim.network import Station
from parti.sim.replications import interval

SERVICE = [Random(number).expovariate(50.0) for number in range(1000)]
"""Exponentially distributed, 20 ms in the mean."""


def of(outcomes: Outcomes, part: PartProfile) -> PartProfile:
    return replace(part, outcomes=outcomes)


def reading(use: float, retry: Retry, timeout: str = "200ms") -> Prediction:
    """An endpoint that computes in threads on four cores, at so much use, were it not for what is tried again."""
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.step(timeout=timeout, retry=retry)
    def read(text: str) -> int:
        return len(text)

    @desk.post("/ask")
    async def asking(text: str) -> int:
        return await read(text)

    known = profile(
        measured("asking", "endpoint", [0.001] * 20, cpu=0.05), measured("read", "step", SERVICE, cpu=1.0),
        graphs=(graph_of("asking", [[("read",)]] * 20),),
    )  # fmt: skip
    question = replace(asked(desk, known, rate=use * 4 / fmean(SERVICE)), requests=20_000)
    return predict(question.model, Deployed((Deployment("read", replicas=4),)), range(3))


def test_a_retry_storm_shows_in_a_prediction() -> None:
    """Three retries after 200 ms do no harm at 80 % use; at 90 % threads work for callers that gave up, who come again."""
    again = Retry(4, first="50ms")
    calm, storm = reading(0.8, again), reading(0.9, again)
    assert calm.done.low > 0.999 and calm.p99.high < 0.2 and not calm.unstable
    assert storm.done.high < 0.5
    assert next(part.use.mean for part in storm.parts if part.part == "read") > 0.97


def test_without_retries_the_same_load_ends_well_for_most() -> None:
    assert reading(0.9, Retry(1)).done.low > 0.9


def test_a_timeout_far_beyond_the_promise_changes_nothing() -> None:
    """Whoever waits so long has broken the promise before: half a minute is left out where a second is promised."""
    assert reading(0.9, Retry(4), "30s") == reading(0.9, Retry(1), "1m")


def a_flaky_desk(chance: Random, *, fails: float = 0.3) -> System:
    """Orders are looked up in 20 ms; three in ten attempts fail, and are made again."""
    desk = System("desk", slo=Slo(p99="5s"))
    topic = desk.topic("orders", Order, key="id")

    @desk.tool(effect="read", retry=Retry(6, first="100ms"))
    async def look_up(id: str) -> str:
        await asyncio.sleep(0.020)
        if chance.random() < fails:
            raise OSError("gone")
        return id

    @desk.on(topic)
    async def decide(order: Order) -> None:
        await asyncio.sleep(0.005)
        await look_up(order.id)

    return desk


def lived(desk: System, count: int) -> tuple[Profile, list[RunRecord]]:
    """The profile of so many orders, two a second, and their runs."""

    async def main(world: World) -> tuple[Profile, list[RunRecord]]:
        async with world.running(desk) as live:
            for number in range(count):
                await live.publish("orders", orders(f"o{number}"))
                await world.clock.wait(0.5)
            await live.idle(within=1000)
            known = await profile_of_traffic(desk.design, live.store, now=world.clock.now())
            return known, await live.store.runs(part="decide", limit=count)

    return play(main)


def test_the_engine_does_what_is_predicted_of_a_tool_that_fails() -> None:
    """Attempts and latency of runs in virtual time, beside those that are predicted from their profile."""
    desk = a_flaky_desk(Random(5))
    known, runs = lived(desk, 2000)
    tool = known.part("look_up")
    assert tool is not None
    assert failing(tool.outcomes) == pytest.approx(0.3, abs=0.04)
    took = interval(
        [fmean(run.ended - run.started for run in runs[at::10]) for at in range(10)]
    )  # ten parts of the runs, each a mean
    question = asked(desk, known, rate=2.0, entry="decide")
    network = question.model.network(Deployed(()))
    played = [simulated(question.model, network, seed).run for seed in range(10)]
    predicted = interval([float((one.left - one.arrived).mean()) for one in played])
    assert predicted.low <= took.high and took.low <= predicted.high
    assert predicted.mean == pytest.approx(took.mean, rel=0.1)
    column = next(at for at, one in enumerate(network.stations) if one.name.startswith("look_up"))
    calls = fmean(1 + one.totals.failed[column] / len(one.arrived) for one in played)
    assert calls == pytest.approx(tool.outcomes.attempts / tool.outcomes.calls, rel=0.05)


def test_attempts_before_the_last_are_not_the_callers_own_time() -> None:
    """They and their pauses are told in the journal, so they do not count twice in a prediction that tries again."""
    known, _ = lived(a_flaky_desk(Random(5)), 200)
    decide = known.part("decide")
    assert decide is not None and (service := decide.service()) is not None
    assert service.seconds.quantiles[-1] < 0.015


def test_runs_that_fail_are_made_again_as_their_handler_declares() -> None:
    """Of three attempts two failed: a run is 20 ms of its own, and again after pauses of 50 and 100 ms in the mean."""
    desk = System("desk", slo=Slo(p99="5s"))
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic, retry=Retry(3, first="100ms"))
    async def decide(order: Order) -> None: ...

    outcomes = Outcomes(100, 100, 0, 0, 0, 100, 300)
    known = profile(
        of(outcomes, measured("decide", "handler", [0.020] * 20, cpu=0.05)), graphs=(graph_of("decide", [[]] * 20),)
    )
    attempts, pauses = 1 + 2 / 3 + 4 / 9, 2 / 3 * 0.050 + 4 / 9 * 0.100
    for together, own in (
        (None, 0.020 * attempts),
        (OneProcess(2), 0.020),
    ):  # on one event loop the pauses alone are known
        model = asked(desk, known, rate=5.0, entry="decide").model
        run = simulated(model, model.network(Deployed((), together)), 1).run
        assert float((run.left - run.arrived).mean()) == pytest.approx(own + pauses, abs=0.004)


def declared(desk: System, name: str, **facts: Any) -> Manners | None:
    part = desk.design.by_name[name]
    outcomes = facts.pop("outcomes", Outcomes(10, 9, 1, 0, 0, 1, 12))
    return manners(part, outcomes, **{"computes": False, "longest": 1.0, "patience": 60.0, **facts})


def test_whose_work_stops_and_from_when_a_timeout_counts() -> None:
    """Coroutines stop; threads do not, and wait for a core within their timeout unless they stand in a line."""
    desk = System("desk")

    @desk.step(timeout="100ms", retry=3)
    async def waits(text: str) -> int: ...

    @desk.step(timeout="100ms", retry=3)
    def works(text: str) -> int: ...

    @desk.step(timeout="100ms", retry=3, concurrency=2)
    def lines(text: str) -> int: ...

    assert declared(desk, "waits") == Manners(0.1, 3, 0.2, 2.0, 60.0, 1.0, begun=True, failing=0.25)
    assert declared(desk, "works", computes=True) == Manners(0.1, 3, 0.2, 2.0, 60.0, 1.0, stop=False, failing=0.25)
    inside = declared(desk, "lines", computes=True)
    assert inside is not None and (inside.begun, inside.stop) == (True, False)


def test_a_coroutine_that_computes_is_never_cut_off_and_what_ends_in_time_is_not() -> None:
    desk = System("desk")

    @desk.step(timeout="100ms")
    async def thinks(text: str) -> int: ...

    @desk.step(timeout="100ms")
    async def waits(text: str) -> int: ...

    assert declared(desk, "thinks", computes=True) is None
    assert declared(desk, "waits", longest=0.05) is None
    assert declared(desk, "waits", longest=0.15) is not None


def test_what_never_failed_is_not_tried_again() -> None:
    desk = System("desk")

    @desk.step(retry=3)
    async def waits(text: str) -> int: ...

    assert declared(desk, "waits", outcomes=Outcomes(10, 10, 0, 0, 0, 0, 10)) is None
    assert failing(Outcomes(0, 0, 0, 0, 0, 0, 0)) == 0.0


def test_what_is_tried_again_takes_capacity() -> None:
    """Half of the attempts fail, of two at most: one and a half are made for each call, so that a core of 20 ms serves 33 a second."""
    station = Station("read", Constant(0.02), retry=Manners(attempts=2, failing=0.5))
    assert capacity(station) == pytest.approx(50 / 1.5)
