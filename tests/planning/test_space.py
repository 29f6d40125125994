"""The space of a plan: which deployments of a part are tried, and what they cost."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from plan_kit import a_desk, asked, its_profile, measured
from profile_kit import graph_of, profile

from parti import PartiError, Price, Slo, System, Variant
from parti.planning.deployment import Deployment
from parti.planning.profile import Service, Tokens
from parti.planning.sampled import Sampled


def test_a_replica_pays_for_its_share_of_a_machine() -> None:
    space = asked(a_desk()[0], its_profile()).space
    assert space.cost(Deployment("read", replicas=3, machine="own/large")) == pytest.approx(3 * 0.40 / 4)
    assert space.cost(Deployment("read", replicas=1, machine="own/large", cpus=4)) == pytest.approx(0.40)


def test_replicas_begin_where_the_load_can_be_served_at_all() -> None:
    """40 calls a second of 20 ms keep 0.8 of a process at work: one may do; 140 need three."""
    desk, _ = a_desk()
    few = {one.label.replicas for one in asked(desk, its_profile()).space.options("read")}
    many = {one.label.replicas for one in asked(desk, its_profile(), rate=140).space.options("read")}
    assert (min(few), min(many)) == (1, 2)
    assert max(many) >= 3 * math.ceil(2.8)


def test_a_faster_machine_is_tried_beside_the_cheapest() -> None:
    options = asked(a_desk()[0], its_profile()).space.options("read")
    assert {one.label.machine for one in options} == {"own/large", "own/fast"}
    assert [one.cost for one in options] == sorted(one.cost for one in options)


def test_what_only_waits_needs_no_machine() -> None:
    (only,) = asked(a_desk()[0], its_profile()).space.options("look_up")
    assert (only.cost, only.label.machine) == (0.0, "")


def test_choices_bound_what_is_tried() -> None:
    desk, read = a_desk()
    desk.choices(read, replicas=(2, 3), machines=["own/fast"], cpus=None)
    options = asked(desk, its_profile()).space.options("read")
    assert {(one.label.replicas, one.label.machine, one.label.cpus) for one in options} == {
        (2, "own/fast", 4.0), (3, "own/fast", 4.0),
    }  # fmt: skip


def test_a_machine_that_is_not_listed_is_refused_with_those_that_are() -> None:
    desk, read = a_desk()
    desk.choices(read, machines=["own/huge"])
    with pytest.raises(PartiError, match=r"P832 test.toml has no machine 'own/huge'[\s\S]*own/fast, own/large"):
        asked(desk, its_profile()).space.options("read")
    elsewhere = replace(asked(a_desk()[0], its_profile()), cloud="moon")
    with pytest.raises(PartiError, match=r"P832 test.toml has no machine of 'moon'"):
        elsewhere.space.options("read")


def test_a_language_model_that_is_paid_by_the_token_costs_by_the_load() -> None:
    desk = System("desk", slo=Slo(p99="5s"))
    llm = desk.llm("openai:small", name="llm", price=Price(input=1, output=4))

    @desk.post("/ask")
    async def asking(text: str) -> str:
        return str(await llm.ask(text))

    tokens = Tokens("small", Sampled.of([1000.0]), Sampled.of([500.0]), 0.0, None, None, 0, 0, 0, 0, None)
    part = measured("llm", "llm", [1.0], cpu=0.0)
    named = type(part)("llm", "llm", (Service("small", 1, Sampled.of([1.0])),), part.outcomes, 0.0, 1.0, (tokens,))
    known = profile(measured("asking", "endpoint", [0.001]), named, graphs=(graph_of("asking", [[("llm",)]]),))
    (only,) = asked(desk, known, rate=2).space.options("llm")
    assert only.cost == pytest.approx(2 * 3600 * (1000 + 4 * 500) / 1e6)


def test_hands_need_processes_even_where_nothing_computes() -> None:
    """A run holds a hand for 71 ms; 2,000 a second keep 142 at work, and an endpoint here has 16 in each process."""
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.tool(effect="read")
    async def look_up(size: int) -> str:
        return str(size)

    @desk.post("/ask", concurrency=16)
    async def asking(text: str) -> str:
        return await look_up(len(text))

    known = profile(
        measured("asking", "endpoint", [0.00001], cpu=1.0), measured("look_up", "tool", [0.07], cpu=0.0),
        graphs=(graph_of("asking", [[("look_up",)]]),),
    )  # fmt: skip
    least = min(one.label.replicas for one in asked(desk, known, rate=2000).space.options("asking"))
    assert least == math.ceil((140 + 4 * math.sqrt(140)) / 16)


def test_qualities_of_variants_are_those_that_were_measured() -> None:
    desk, read = a_desk()
    desk.choices(read, variants=[Variant("small"), Variant("large")], replicas=1, machines=["own/large"])
    part = measured("read", "step", [0.01], cpu=1.0)
    variants = tuple(Service(name, 1, Sampled.of([0.01]), cpu=0.01) for name in ("small", "large"))
    known = its_profile()
    changed = tuple(
        type(part)("read", "step", variants, part.outcomes, 0.0, 1.0) if one.part == "read" else one
        for one in known.parts
    )
    found = asked(desk, profile(*changed, graphs=known.graphs), qualities={"read": {"small": 0.8, "large": 0.95}})
    assert {one.label.variant: one.quality for one in found.space.options("read")} == {"small": 0.8, "large": 0.95}
