"""Loads as they are simulated: whole traces, fresh samples, events for all handlers, ticks, and runs that are judged alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from plan_kit import PRICES, a_desk, asked, its_profile, measured
from profile_kit import graph_of, profile
from pydantic import BaseModel

from parti import PartiError, Slo, System
from parti.planning.asked import Asked
from parti.planning.calls import CallGraph, Published
from parti.planning.deployment import Deployed, Deployment
from parti.planning.load import Stream, Workload
from parti.planning.predicting import Prediction, predict
from parti.planning.sampling import sample
from parti.planning.windows import REQUESTS_MOST
from parti.sim.load import Arrivals, Load, Mmpp, Poisson, Trace

CALM_THEN_BURST = Trace((*range(6_000), *(6_000 + at / 100 for at in range(3_000))))
"""1/s for 6,000 s, then 100/s for 30 s."""


class Event(BaseModel):
    id: str


def one_desk(arrivals: Arrivals) -> Asked:
    desk, _ = a_desk(Slo(p99="100s"))
    return asked(desk, its_profile(), arrivals=arrivals)


def drawn(question: Asked, seed: int) -> Load:
    """The sample of a seed."""
    return sample(question.load, question.blueprint, seconds=question.model.seconds, seed=seed)


def under(question: Asked, *deployments: Deployment) -> Prediction:
    return predict(question.model, Deployed(deployments), range(1, 4))


def test_a_trace_is_simulated_to_its_end() -> None:
    """Half of what `read` has to do comes in the burst, at twice what it can do: whoever comes last waits for half a minute."""
    found = under(one_desk(CALM_THEN_BURST), Deployment("asking", 4))
    assert found.p99.mean == pytest.approx(30, rel=0.1)


def test_every_sample_has_the_whole_trace_once_from_another_moment_on() -> None:
    question = one_desk(CALM_THEN_BURST)
    counted = [(load := drawn(question, seed)).arrived[question.model.counts(load)] for seed in (1, 2, 3)]
    assert [len(one) for one in counted] == pytest.approx([9_000] * 3, abs=1)
    first = {round(float(one[np.argmax(one[100:] - one[:-100] < 1.1)]), 3) for one in counted}
    assert len(first) == 3, "the burst comes at the same moment"
    assert np.array_equal(drawn(question, 1).arrived, drawn(question, 1).arrived)
    assert question.notes == ()


def test_of_a_trace_that_is_too_long_every_sample_has_the_busiest_stretch() -> None:
    """300,000 arrivals at 1/s with a burst of 1,000 at 100/s in between."""
    times = (*range(150_000), *(150_000 + at / 100 for at in range(1_000)), *range(150_010, 300_000))
    question = one_desk(Trace(tuple(map(float, times))))
    loads = [drawn(question, seed) for seed in range(5)]
    for load in loads:
        at = load.arrived[question.model.counts(load)]
        assert len(at) == pytest.approx(REQUESTS_MOST, rel=0.02)
        assert (at[900:] - at[:-900]).min() < 10
    assert len({float(load.arrived[0]) for load in loads}) == 5
    (note,) = question.notes
    assert "of which" in note and "always with their busiest" in note


def test_several_traces_are_played_side_by_side() -> None:
    """What arrived at one entry within a minute arrived within that minute, whatever the other entry had later."""
    desk, _ = a_desk()
    span = 1_000.0
    one = Stream(Trace(tuple(at / 10 for at in range(100)), span=span), (("asking", 1.0),), "a")
    two = Stream(Trace(tuple(500 + at / 10 for at in range(100)), span=span), (("asking", 1.0),), "b")
    question = replace(asked(desk, its_profile()), workload=Workload((one, two)))
    load = drawn(question, 4)
    at = load.arrived[question.model.counts(load)]
    assert len(at) == 200 and question.rates["read"] == pytest.approx(0.2)
    gaps = np.diff(at)
    assert sorted(gaps[gaps > 100]) == pytest.approx([490.1], abs=0.2) or len(gaps[gaps > 100]) == 2


def test_an_mmpp_is_simulated_for_many_of_its_cycles_and_begins_anywhere() -> None:
    question = one_desk(Mmpp((100.0, 0.0), (60.0, 540.0)))
    assert question.model.seconds * 0.9 == pytest.approx(20 * 600)
    begins = [float(drawn(question, seed).arrived[0]) for seed in range(20)]
    assert 0 < sum(first < 1 for first in begins) < 10, "nine of ten begin in the calm"


def test_a_load_is_shared_out_among_entries() -> None:
    desk, known = a_story()
    shared = Workload((Stream(Poisson(40.0), (("decide", 0.25), ("post", 0.75)), "40/s"),))
    load = drawn(question_of(desk, known, shared), 1)
    assert (load.entries == load.entries[0]).mean() == pytest.approx(0.25, abs=0.05) or (
        load.entries == load.entries[0]
    ).mean() == pytest.approx(0.75, abs=0.05)


def a_story(**facts: Any) -> tuple[System, Any]:
    """Orders are decided on and counted; a decision is a letter, which is posted; a schedule sweeps every 10 s."""
    desk = System("desk", slo=Slo(p99="1s"))
    orders, letters = desk.topic("orders", Event, key="id"), desk.topic("letters", Event, key="id")

    @desk.on(orders, to=letters)
    async def decide(event: Event) -> Event:
        return event

    @desk.on(orders)
    async def count(event: Event) -> None: ...

    @desk.on(letters)
    async def post(event: Event) -> None: ...

    @desk.every("10s")
    async def sweep() -> None: ...

    @desk.step
    def unused(text: str) -> str:
        return text

    decided = graph_of("decide", [[]] * 10)
    decided = CallGraph("decide", 10, decided.transitions, (Published("letters", 10, ("post",)),))
    parts = [
        measured("decide", "handler", [0.002]),
        measured("count", "handler", [0.03]),
        measured("post", "handler", [0.1]),
    ]
    graphs = (decided, graph_of("count", [[]]), graph_of("post", [[]]))
    return desk, profile(*parts, **{"graphs": graphs, **facts})


def question_of(desk: System, known: Any, workload: Workload, *of: str) -> Asked:
    assert desk.slo is not None
    return Asked(desk.design, known, PRICES, workload, desk.slo, of, cloud="own", requests=2000)


ORDERS = Workload((Stream(Poisson(2.0), (("orders", 1.0),), "2/s"),))
ROOM = tuple(Deployment(name, 8) for name in ("decide", "count", "post"))


def test_an_event_is_one_request_that_is_done_when_all_of_its_handlers_are() -> None:
    desk, known = a_story()
    question = question_of(desk, known, ORDERS)
    assert question.rates["count"] == pytest.approx(2.0) and question.rates["post"] == pytest.approx(2.0)
    load = drawn(question, 1)
    assert len(load) / question.model.seconds == pytest.approx(2.0, rel=0.1)
    assert under(question, *ROOM).p50.mean == pytest.approx(0.102, abs=1e-6)


@pytest.mark.parametrize(("of", "takes"), [("decide", 0.002), ("count", 0.03), ("post", 0.1)])
def test_runs_of_one_runner_are_judged_alone_wherever_it_stands_in_the_story(of: str, takes: float) -> None:
    """An entry beside others, and one that others cause: all the rest is in the way, and as much of it as before."""
    desk, known = a_story()
    question = question_of(desk, known, ORDERS, of)
    assert question.judged == (of,)
    assert {name: question.rates[name] for name in ("decide", "count", "post")} == pytest.approx(
        {"decide": 2.0, "count": 2.0, "post": 2.0}
    )
    found = under(question, *ROOM)
    assert (found.p50.mean, found.p99.mean) == (pytest.approx(takes), pytest.approx(takes))
    assert found.throughput.mean == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("of", ["unused", "orders", "nobody"])
def test_only_runs_can_be_judged(of: str) -> None:
    desk, known = a_story()
    with pytest.raises(PartiError, match=f"P830 desk has no handler, endpoint or schedule '{of}'") as wrong:
        _ = question_of(desk, known, ORDERS, of).model
    assert wrong.value.fix == "--of takes one of: decide, count, post, sweep"


def test_what_never_runs_under_the_load_cannot_be_judged() -> None:
    desk, known = a_story()
    letters = Workload((Stream(Poisson(2.0), (("post", 1.0),), "2/s"),))
    with pytest.raises(PartiError, match="P830 nothing that arrives begins or causes a run of `decide`"):
        _ = question_of(desk, known, letters, "decide").model


def test_schedules_tick_beside_the_load_and_are_judged_where_that_is_asked() -> None:
    desk, known = a_story()
    parts = (*known.parts, measured("sweep", "schedule", [1.0]))
    known = profile(*parts, graphs=(*known.graphs, graph_of("sweep", [[]])))
    question = question_of(desk, known, ORDERS)
    load = drawn(question, 1)
    places = [at for at, call in enumerate(question.blueprint.calls) if call.name == "sweep"]
    ticks = load.arrived[np.isin(load.entries, places)]
    assert np.diff(ticks) == pytest.approx(10.0)
    assert len(ticks) == pytest.approx(question.model.seconds / 10, abs=1)
    assert question.rates["sweep"] == pytest.approx(0.1)
    assert under(question, *ROOM).p99.mean < 0.5
    assert under(question_of(desk, known, ORDERS, "sweep"), *ROOM).p99.mean == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("decided", "posted", "said"),
    [
        (12, 10, "runs of `decide`, `post` cause each other without end"),
        (10, 10, "runs of `decide`, `post` cause each other without end"),
    ],
)
def test_runs_that_cause_each_other_without_end_are_refused(decided: int, posted: int, said: str) -> None:
    desk, known = a_story()
    circle = (
        replace(known.graphs[0], published=(Published("letters", decided, ("post",)),)),
        known.graphs[1],
        CallGraph("post", 10, graph_of("post", [[]] * 10).transitions, (Published("orders", posted, ("decide",)),)),
    )
    for of in ((), ("post",)):
        with pytest.raises(PartiError, match="P831") as wrong:
            _ = question_of(desk, replace(known, graphs=circle), ORDERS, *of).rates
        assert said in str(wrong.value)


def test_a_runner_that_causes_itself_each_time_is_refused() -> None:
    desk, known = a_story()
    again = CallGraph("post", 10, graph_of("post", [[]] * 10).transitions, (Published("letters", 10, ("post",)),))
    with pytest.raises(PartiError, match="P831 runs of `post` cause others of it without end"):
        _ = question_of(desk, replace(known, graphs=(*known.graphs[:2], again)), ORDERS).rates


def test_a_circle_that_dies_out_is_planned() -> None:
    desk, known = a_story()
    half = CallGraph("post", 10, graph_of("post", [[]] * 10).transitions, (Published("letters", 5, ("post",)),))
    question = question_of(desk, replace(known, graphs=(*known.graphs[:2], half)), ORDERS)
    assert question.rates["post"] == pytest.approx(4.0)


def test_a_loop_of_a_fixed_number_of_rounds_takes_as_long_as_its_rounds() -> None:
    """20 rounds of 10 ms."""
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.tool(effect="read")
    async def look_up(size: int) -> str:
        return str(size)

    @desk.post("/ask")
    async def asking(text: str) -> str:
        return await look_up(len(text))

    known = profile(
        measured("asking", "endpoint", [0.0], cpu=1.0), measured("look_up", "tool", [0.01], cpu=0.0),
        graphs=(graph_of("asking", [[("look_up",)] * 20]),),
    )  # fmt: skip
    assert under(asked(desk, known, rate=1)).p99.mean == pytest.approx(0.2, rel=1e-6)


def test_each_run_takes_a_hand_of_its_own() -> None:
    """One event causes ten runs of 1 s, which a handler with one hand does one after the other."""
    desk = System("desk", slo=Slo(p99="60s"))
    orders, letters = desk.topic("orders", Event, key="id"), desk.topic("letters", Event, key="id")

    @desk.tool(effect="read")
    async def look_up(id: str) -> str:
        return id

    @desk.on(orders, to=letters)
    async def decide(event: Event) -> Event:
        return event

    @desk.on(letters, concurrency=1)
    async def post(event: Event) -> None: ...

    decided = CallGraph("decide", 1, graph_of("decide", [[]]).transitions, (Published("letters", 10, ("post",)),))
    known = profile(
        measured("decide", "handler", [0.0]), measured("post", "handler", [0.0]), measured("look_up", "tool", [1.0], cpu=0.0),
        graphs=(decided, graph_of("post", [[("look_up", "look_up")]])),
    )  # fmt: skip
    rare = Workload((Stream(Trace(tuple(100.0 * at for at in range(30))), (("decide", 1.0),), "rare"),))
    question = question_of(desk, known, rare)
    assert under(question).p99.mean == pytest.approx(10.0)
    assert under(question, Deployment("post", 10)).p99.mean == pytest.approx(1.0)
