"""One process: what its parts share, they wait for; what they do not share stays as it is elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from plan_kit import a_desk, asked, its_profile, measured
from profile_kit import graph_of, profile
from pydantic import BaseModel

from parti import Batch, Slo, System
from parti.planning.calls import CallGraph, Published
from parti.planning.deployment import Deployed, Deployment, Door, OneProcess
from parti.planning.one_process import COMMIT, LOOP, as_declared
from parti.planning.predicting import EVENT_LOOP, Prediction, predict
from parti.planning.profile import Profile
from parti.planning.sampled import Sampled
from parti.sim.network import EVERYONE, Station

SEEDS = range(1, 5)
ALONE = OneProcess(2)


def told(found: Profile, together: OneProcess | None = ALONE, *, rate: float = 2.0, **facts: Any) -> Prediction:
    """What the desk of the kit does under a load."""
    desk, _ = a_desk()
    return predict(asked(desk, found, rate=rate, **facts).model, Deployed((), together), SEEDS)


def use_of(prediction: Prediction, part: str) -> float:
    return next(one.use.mean for one in prediction.parts if one.part == part)


def stations_of(desk: System, found: Profile, together: OneProcess, **facts: Any) -> dict[str, Station]:
    network = asked(desk, found, **facts).model.network(as_declared(desk.design, together))
    return {station.name: station for station in network.stations}


def with_loop(found: Profile, seconds: float) -> Profile:
    """The profile, of which each run of a runner is on the event loop for so long."""
    parts = (
        replace(part, services=tuple(replace(one, loop=seconds) for one in part.services))
        if part.kind in ("endpoint", "handler")
        else part
        for part in found.parts
    )
    return replace(found, parts=tuple(parts))


def test_without_one_process_nothing_changes() -> None:
    desk, _ = a_desk()
    network = asked(desk, its_profile()).model.network(Deployed(()))
    assert not any(station.name in (LOOP, COMMIT) for station in network.stations)


def test_blocking_functions_share_the_cores() -> None:
    desk, _ = a_desk()
    assert stations_of(desk, its_profile(), OneProcess(2))["read"].servers == 2
    assert stations_of(desk, its_profile(), OneProcess(8))["read"].servers == 8


def test_replicas_and_machines_that_a_plan_names_are_not_there() -> None:
    desk, _ = a_desk()
    deployed = Deployed((Deployment("read", replicas=5, machine="own/fast"),), ALONE)
    network = asked(desk, its_profile()).model.network(deployed)
    read = next(station for station in network.stations if station.name == "read")
    assert (read.replicas, read.service.mean) == (1, pytest.approx(0.02))  # type: ignore[union-attr]


def test_what_waits_shares_nothing() -> None:
    desk, _ = a_desk()
    found = stations_of(desk, its_profile(), ALONE)
    waiting = next(station for name, station in found.items() if name.startswith("look_up"))
    assert waiting.servers >= EVERYONE


def test_runs_are_on_the_event_loop_for_as_long_as_was_measured() -> None:
    """Half of a second's worth of loop for each run: at one a second half of the loop is busy."""
    assert use_of(told(with_loop(its_profile(), 0.05), rate=10.0), EVENT_LOOP) == pytest.approx(0.5, abs=0.05)


def test_the_loop_works_for_a_run_while_that_waits_for_something_else() -> None:
    """Journaling and callbacks make nobody later but who comes next: alone, a run takes as long as without them."""
    short, long = (told(with_loop(its_profile(), seconds), rate=0.1) for seconds in (0.001, 0.020))
    assert long.p50.mean == pytest.approx(short.p50.mean, rel=0.01)


def test_a_busy_event_loop_makes_runs_wait() -> None:
    short, long = (told(with_loop(its_profile(), seconds), rate=40.0) for seconds in (0.001, 0.023))
    assert long.p99.mean > 1.3 * short.p99.mean


def test_of_a_runs_own_time_what_is_no_cpu_time_leaves_the_loop_alone() -> None:
    """A fence waits for the disk: the run takes as long, and the loop has time for others."""
    slow = its_profile()
    slow = replace(slow, parts=(measured("asking", "endpoint", [0.050] * 20), *slow.parts[1:]))
    waits = with_loop(slow, 0.001)
    assert told(waits, rate=0.1).p50.mean == pytest.approx(told(slow, rate=0.1).p50.mean, rel=0.05)
    assert use_of(told(waits, rate=15.0), EVENT_LOOP) < 0.05 < use_of(told(slow, rate=15.0), EVENT_LOOP)


def test_fences_of_writes_leave_the_loop_alone_where_it_was_not_measured() -> None:
    """A profile from traffic knows own times only, in which runs wait twice for the disk with each write."""
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.tool(effect="write", key="id", idempotent=True)
    def post(id: str) -> None: ...

    @desk.post("/ask")
    async def asking(id: str) -> None:
        await post(id)

    found = profile(
        measured("asking", "endpoint", [0.021] * 20),
        measured("post", "tool", [0.001] * 20),
        graphs=(graph_of("asking", [[("post",)]] * 20),),
        commit=Sampled.of([0.010] * 20),
    )
    known = asked(desk, found, rate=20.0)
    prediction = predict(known.model, Deployed((), ALONE), SEEDS)
    assert use_of(prediction, EVENT_LOOP) == pytest.approx(0.02, abs=0.005)
    assert prediction.p50.mean == pytest.approx(0.032, abs=0.003)


def test_coroutines_that_compute_share_the_event_loop() -> None:
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.step
    async def think(text: str) -> int:
        return len(text)

    @desk.post("/ask")
    async def asking(text: str) -> int:
        return await think(text)

    found = profile(
        measured("asking", "endpoint", [0.001] * 20),
        measured("think", "step", [0.030] * 20, cpu=1.0),
        graphs=(graph_of("asking", [[("think",)]] * 20),),
    )
    known = asked(desk, found, rate=20.0)
    names = [station.name for station in known.model.network(Deployed((), ALONE)).stations]
    assert "think" not in names
    assert use_of(predict(known.model, Deployed((), ALONE), SEEDS), EVENT_LOOP) == pytest.approx(0.62, abs=0.06)


def test_the_loop_of_a_run_leaves_out_coroutines_that_are_there_by_themselves() -> None:
    """Else their time would count twice: the measured loop of a run is with all that it calls."""
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.step
    async def think(text: str) -> int:
        return len(text)

    @desk.post("/ask")
    async def asking(text: str) -> int:
        return await think(text)

    found = profile(
        measured("asking", "endpoint", [0.001] * 20),
        measured("think", "step", [0.030] * 20, cpu=1.0),
        graphs=(graph_of("asking", [[("think",)]] * 20),),
    )
    known = asked(desk, with_loop(found, 0.032), rate=20.0)
    assert use_of(predict(known.model, Deployed((), ALONE), SEEDS), EVENT_LOOP) == pytest.approx(0.64, abs=0.06)


def test_who_calls_waits_for_the_commit() -> None:
    plain = its_profile()
    later = told(replace(plain, commit=Sampled.of([0.010] * 20)), rate=0.1)
    assert later.p50.mean - told(plain, rate=0.1).p50.mean == pytest.approx(0.010, abs=0.002)


def test_runs_that_end_together_share_a_commit() -> None:
    """40 a second, each committed in 50 ms, would be twice what the disk can do one by one."""
    slow = told(replace(its_profile(), commit=Sampled.of([0.050] * 20)), rate=40.0)
    assert not slow.unstable
    assert slow.p99.mean < 0.5


def test_http_takes_its_time_at_the_door() -> None:
    plain, door = its_profile(), Door(loop=0.002, besides=0.010)
    later = told(plain, OneProcess(2, door), rate=0.1).p50.mean - told(plain, rate=0.1).p50.mean
    assert later == pytest.approx(0.012, abs=0.002)
    busier = use_of(told(plain, OneProcess(2, door), rate=40.0), EVENT_LOOP) - use_of(
        told(plain, rate=40.0), EVENT_LOOP
    )
    assert busier == pytest.approx(0.08, abs=0.02)


def test_events_are_handed_on_once_they_are_on_disk() -> None:
    class Event(BaseModel):
        id: str

    desk = System("desk", slo=Slo(p99="1s"))
    first, second = desk.topic("first", Event, key="id"), desk.topic("second", Event, key="id")

    @desk.on(first, to=second)
    async def begin(event: Event) -> Event:
        return event

    @desk.on(second)
    async def follow(event: Event) -> None: ...

    begins = graph_of("begin", [[]] * 10)
    caused = CallGraph("begin", 10, begins.transitions, (Published("second", 10, ("follow",)),))
    found = profile(
        measured("begin", "handler", [0.001] * 20), measured("follow", "handler", [0.001] * 20),
        graphs=(caused, graph_of("follow", [[]] * 10)), commit=Sampled.of([0.005] * 20),
    )  # fmt: skip
    known = asked(desk, found, rate=0.5, entry="begin")
    story = predict(known.model, Deployed((), OneProcess(2, handing_on=0.003)), SEEDS)
    assert story.p50.mean == pytest.approx(2 * (0.001 + 0.003 + 0.005), abs=0.001)


def test_batches_are_as_large_as_they_are_declared() -> None:
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.step(batch=Batch(4, linger="5ms"))
    async def score(values: list[int]) -> list[int]:
        return values

    @desk.step
    def other(value: int) -> int:
        return value

    assert as_declared(desk.design, ALONE).parts == (Deployment("score", batch=4),)


def with_commits(found: Profile, alone: float, shared: float) -> Profile:
    """The profile, in which a run has the loop work for so long alone, and so long where very many share a commit of 10 ms."""
    found = with_loop(found, alone)
    parts = (
        replace(part, services=tuple(replace(one, loop_shared=shared) for one in part.services))
        if part.kind in ("endpoint", "handler")
        else part
        for part in found.parts
    )
    return replace(found, parts=tuple(parts), commit=Sampled.of([0.010] * 20))


def test_runs_that_share_a_commit_share_what_the_loop_does_for_it() -> None:
    """Alone a run is 5 ms on the loop, of which 3 are its commit's: at two a second each has its own, at 200 two or three share one."""
    found = with_commits(its_profile(), 0.005, 0.002)
    rare = told(found, OneProcess(8), rate=2.0)
    assert use_of(rare, EVENT_LOOP) == pytest.approx(2.0 * 0.005, rel=0.15)
    often = told(found, OneProcess(8), rate=200.0)
    assert 200 * 0.002 < use_of(often, EVENT_LOOP) < 0.8 < 200 * 0.005
    assert not often.unstable


def test_where_nobody_measured_what_is_shared_each_run_has_all_of_it() -> None:
    found = replace(with_loop(its_profile(), 0.008), commit=Sampled.of([0.010] * 20))
    assert use_of(told(found, OneProcess(8), rate=100.0), EVENT_LOOP) == pytest.approx(0.8, abs=0.08)
