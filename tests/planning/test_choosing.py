"""Choosing: every part has its options, however many stations it has and whether anybody waits there or not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from plan_kit import a_desk, asked, its_profile, measured
from profile_kit import NONE, graph_of, profile

from parti import Batch, PartiError, Site, Slo, System, Variant
from parti.optimise.found import Limits
from parti.optimise.problem import Option, Plan
from parti.optimise.verifying import Care
from parti.planning.asked import Asked
from parti.planning.deployment import Deployed, Deployment
from parti.planning.planner import deployed_of, plan
from parti.planning.predicting import latencies, predict, simulated
from parti.planning.profile import PartProfile, Service
from parti.planning.sampled import Sampled
from parti.planning.stations import BATCHES_AT_ONCE
from parti.sim.network import EVERYONE

VARIANTS = [Variant("v1", 0.5), Variant("v2", 0.95)]
QUALITIES = {"look_up": {"v1": 0.5, "v2": 0.95}}


def looking(
    slo: Slo | None = None, qualities: Any = QUALITIES, cpu: Sequence[float] = (0.0, 0.0), **decided: Any
) -> Asked:
    """A desk that looks up twice: v1 takes 50 ms, v2 80 ms, of which `cpu` are CPU time."""
    desk = System("desk", slo=slo or Slo(p99="1s"))

    @desk.tool(effect="read")
    def look_up(size: int) -> str:
        return str(size)

    @desk.post("/ask")
    async def asking(text: str) -> str:
        return await look_up(len(text)) + await look_up(1)

    desk.choices(look_up, **{"variants": VARIANTS, **decided})
    times = (("v1", 0.05, 9, cpu[0]), ("v2", 0.08, 5, cpu[1]))
    services = tuple(Service(name, 1, Sampled.of([took] * calls), cpu=used) for name, took, calls, used in times)
    tool = PartProfile("look_up", "tool", services, NONE, 0.0, 1.0)
    graph = graph_of("asking", [[("look_up",), ("look_up",)]])
    known = profile(measured("asking", "endpoint", [0.001], cpu=1.0), tool, graphs=(graph,))
    return asked(desk, known, rate=20, qualities=qualities)


def menu(question: Asked, part: str = "look_up") -> tuple[Option, ...]:
    """The options of a part; each part stands once in a problem."""
    (found,) = [one for one in question.problem.parts() if one.name == part]
    return found.options


def chosen(question: Asked, **deployed: Any) -> Plan:
    """The first plan in which `look_up` runs so."""

    def fits(option: Option) -> bool:
        label = option.label
        assert isinstance(label, Deployment)
        return label.part != "look_up" or label == label._replace(**deployed)

    stages = question.problem.stages
    return Plan(tuple(tuple(next(filter(fits, part.options)) for part in stage.parts) for stage in stages))


def slowest(question: Asked, known: Plan) -> float:
    """The longest latency as a search simulates it."""
    state = question.staged.begin(1)
    for choice in known.choices:
        state = question.staged.extend(state, choice)
    return float(question.staged.finish(state).max())


def test_variants_of_a_part_that_waits_are_chosen_with_their_qualities() -> None:
    question = looking()
    assert question.stations.crowdless() == {"look_up"}
    assert {one.label.variant: one.quality for one in menu(question)} == {"v1": 0.5, "v2": 0.95}  # type: ignore[attr-defined]


def test_a_promise_of_quality_takes_the_better_variant_of_a_part_that_waits() -> None:
    """v1 is quicker and costs nothing more; its quality is 0.5."""
    ticks = count()
    found = plan(
        looking(Slo(p99="1s", quality=0.9)), clock=lambda: next(ticks) * 1e-6, limits=Limits(1e9, 20_000),
        care=Care(runs=20, broken_most=0.05), say=lambda _: None,
    )  # fmt: skip
    assert {part.deployment.part: part.deployment.variant for part in found.parts} == {"asking": "", "look_up": "v2"}
    assert found.quality == 0.95
    assert found.prediction.p99.mean == pytest.approx(0.161, abs=0.005)


def test_what_is_chosen_holds_for_all_stations_of_a_part() -> None:
    """Both calls take the variant's time, in the search as in the prediction of the plan that is told."""
    question = looking()
    for variant, seconds in (("v1", 0.101), ("v2", 0.161)):
        known = chosen(question, variant=variant)
        assert slowest(question, known) == pytest.approx(seconds, abs=0.01)
        network = question.model.network(deployed_of(known.options(question.problem).values()), limits=False)
        one = simulated(question.model, network, 1)
        assert latencies(one.run, one.counted).max() == pytest.approx(slowest(question, known))


def test_where_a_part_is_relaxed_all_its_stations_are() -> None:
    """Each takes as long as at its fastest: else a bound would be longer than the plan that it is a bound of."""
    question = looking()
    state = question.staged.begin(1)
    for stage in question.problem.stages:
        relaxed = any(part.name == "look_up" for part in stage.parts)
        first = tuple(part.options[0] for part in stage.parts)
        state = question.staged.relax(state) if relaxed else question.staged.extend(state, first)
    assert 0.1 < question.staged.finish(state).max() <= slowest(question, chosen(question, variant="v1"))


def test_sites_of_a_part_that_waits_are_chosen_and_its_ways_take_as_long() -> None:
    question = looking(variants=(), sites=[Site("here"), Site("far", round_trip="40ms")])
    assert {one.label.site for one in menu(question)} == {"here", "far"}  # type: ignore[attr-defined]
    near, far = (slowest(question, chosen(question, site=site)) for site in ("here", "far"))
    assert far - near == pytest.approx(0.08, abs=0.01)


def test_one_variant_that_computes_makes_all_wait_for_servers() -> None:
    """The one that was measured most only waits; of the other there are as many at once as there are cores."""
    question = looking(cpu=(0.0, 0.08))
    assert question.stations.crowdless() == set()
    machines = {one.label.variant: bool(one.label.machine) for one in menu(question)}  # type: ignore[attr-defined]
    assert machines == {"v1": False, "v2": True}


def test_what_is_told_keeps_sites_and_batches_of_parts_without_machines() -> None:
    apart = (Deployment("a", site="far"), Deployment("b", batch=4), Deployment("c", variant="v2"))
    same = (Deployment("d"), Deployment(""))
    assert deployed_of(Option(label, 0.0) for label in (*apart, *same)) == Deployed(apart)


def test_a_promise_of_quality_refuses_a_variant_that_has_none() -> None:
    question = looking(Slo(p99="1s", quality=0.4), {"look_up": {"v1": 0.5}})
    with pytest.raises(PartiError, match=r"test_choosing.py:\d+: P833 .* the variant 'v2' of `look_up` has none"):
        _ = question.problem
    assert {one.quality for one in menu(looking(qualities={"look_up": {"v1": 0.5}}))} == {0.5, 1.0}


def test_a_promise_of_quality_is_refused_where_no_part_has_any() -> None:
    desk, _ = a_desk(Slo(p99="1s", quality=0.9))
    with pytest.raises(PartiError, match=r"P833 a quality of 0.9 is promised, and no part has any"):
        _ = asked(desk, its_profile()).problem


def embedding() -> Asked:
    """A tool that waits 100 ms for one item and 120 ms for eight."""
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.tool(effect="read", batch=Batch(8, linger="5ms"))
    async def embed(texts: list[str]) -> list[int]:
        return [len(text) for text in texts]

    @desk.post("/ask")
    async def asking(text: str) -> int:
        return await embed(text)

    known = profile(
        measured("asking", "endpoint", [0.001], cpu=1.0), measured("embed", "tool", [0.1] * 9, cpu=0.0, b8=[0.12] * 9),
        graphs=(graph_of("asking", [[("embed",)]]),),
    )  # fmt: skip
    return asked(desk, known, rate=100)


def test_a_part_that_waits_takes_batches_and_needs_no_machine_for_them() -> None:
    question = embedding()
    labels = [one.label for one in menu(question, "embed")]
    assert labels == [Deployment("embed", batch=1), Deployment("embed", batch=8)]
    assert question.stations.deployed(Deployment("embed")).servers >= EVERYONE
    assert question.stations.deployed(Deployment("embed", batch=8)).servers == BATCHES_AT_ONCE


def test_calls_of_all_runs_share_the_batches_of_a_part_that_waits() -> None:
    """At 100 a second and a linger of 5 ms the first of a batch waits as long: batches take longer, and have a queue."""
    question = embedding()
    one, eight = (predict(question.model, Deployed((Deployment("embed", batch=size),)), range(3)) for size in (1, 8))
    assert one.p50.mean == pytest.approx(0.101, abs=0.002)
    assert 0.104 < eight.p50.mean < 0.13 and not eight.unstable


def test_a_batch_that_is_shared_has_one_station() -> None:
    assert embedding().stations.crowdless() == set()
    assert "embed" in embedding().blueprint.stations
