"""Stations: what computes does so one after the other in a process, what waits does so at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_kit import PRICES, a_desk, asked, its_profile, measured
from profile_kit import profile

from parti import Batch, PartiError, Price, Site, System, Variant
from parti.planning.blueprint import COMMIT
from parti.planning.deployment import Deployed, Deployment
from parti.planning.profile import Tokens
from parti.planning.sampled import Sampled
from parti.planning.space import capacity
from parti.planning.stations import Stations, seconds_alone
from parti.sim.distributions import Empirical
from parti.sim.load import Load
from parti.sim.network import EVERYONE, Network
from parti.sim.network import Llm as Engine
from parti.sim.simulating import simulate


def its_stations() -> Stations:
    """Those of the small desk."""
    desk, _ = a_desk()
    return Stations(desk.design, its_profile(), PRICES)


def test_what_computes_has_one_place_in_each_process_whatever_it_declares() -> None:
    station = its_stations().deployed(Deployment("read", replicas=3))
    assert (station.replicas, station.concurrency) == (3, 1)
    assert its_stations().deployed(Deployment("asking", replicas=2)).servers == 2


def test_a_process_of_several_vcpus_computes_as_often_at_once() -> None:
    assert its_stations().deployed(Deployment("read", cpus=4.0)).servers == 4


def test_what_waits_does_so_as_often_at_once_as_it_likes() -> None:
    assert its_stations().deployed(Deployment("look_up")).servers >= EVERYONE
    assert its_stations().crowdless() == {"look_up"}


def test_only_what_computes_is_faster_on_a_faster_core() -> None:
    stations = its_stations()
    assert stations.deployed(Deployment("read", machine="own/fast")).service.mean == pytest.approx(0.01)  # type: ignore[union-attr]
    assert stations.deployed(Deployment("look_up", machine="own/fast")).service.mean == pytest.approx(0.0495)  # type: ignore[union-attr]


def test_batches_grow_as_they_were_measured() -> None:
    desk = System("desk")

    @desk.step(batch=Batch(8, linger="4ms"))
    def embed(texts: list[str]) -> list[int]:
        return [len(text) for text in texts]

    known = profile(measured("embed", "step", [0.01] * 9, cpu=1.0, b4=[0.02] * 9))
    stations = Stations(desk.design, known, PRICES)
    batch = stations.deployed(Deployment("embed", batch=4)).batch
    assert batch is not None and (batch.size, batch.linger) == (4, 0.004)
    assert batch.growth == pytest.approx((1, 4 / 3, 5 / 3, 2))
    assert capacity(stations.deployed(Deployment("embed", batch=4))) == pytest.approx(200)
    with pytest.raises(PartiError, match="P830 `embed` was not measured with batches of 8"):
        stations.deployed(Deployment("embed", batch=8))


def of_tokens(target: str) -> Stations:
    """A language model there, with a step of 10 ms a token."""
    desk = System("desk")
    desk.llm(target, model="m", name="llm", concurrency=4, price=Price(input=1, output=1))
    tokens = Tokens("m", Sampled.of([100.0]), Sampled.of([50.0]), 0.0, None, None, 0.05, 0.001, 0.01, 0.99, None)
    known = measured("llm", "llm", [0.65], cpu=0.0)
    part = type(known)(known.part, known.kind, known.services, known.outcomes, 0.0, 1.0, (tokens,))
    part = type(part)(
        part.part,
        part.kind,
        tuple(type(one)("m", 1, one.seconds) for one in part.services),
        part.outcomes,
        0.0,
        1.0,
        (tokens,),
    )
    return Stations(desk.design, profile(part), PRICES)


def test_an_own_language_model_batches_continuously_and_a_providers_is_there_for_everybody() -> None:
    own = of_tokens("http://host:8000/v1").deployed(Deployment("llm", replicas=2))
    assert isinstance(own.service, Engine) and (own.service.slots, own.replicas) == (4, 2)
    assert capacity(own) == pytest.approx(2 / (0.05 + 0.01 + 0.1 + 49 * 0.01 / 4))
    paid = of_tokens("openai:m").deployed(Deployment("llm", replicas=2))
    assert not isinstance(paid.service, Engine) and paid.servers == 4


def test_alone_a_call_takes_as_long_as_the_fit_of_its_tokens_says() -> None:
    """50 ms, 1 ms for each of 100 tokens read and 10 ms for each of 50 written; the simulator has the first one with the reading."""
    station = of_tokens("http://host:8000/v1").deployed(Deployment("llm"))
    assert seconds_alone(station) == pytest.approx(0.05 + 0.1 + 0.5)
    one = simulate(Network((station,), "llm"), Load(np.arange(20) * 10.0), seed=1)
    assert (one.left - one.arrived).max() == pytest.approx(0.65)


def test_tokens_of_a_trace_replace_those_of_the_profile() -> None:
    stations = of_tokens("http://host:8000/v1")
    traced = replace(stations, prompt=Empirical((10.0, 30.0)), output=Empirical((1.0, 3.0)))
    engine = traced.deployed(Deployment("llm")).service
    assert isinstance(engine, Engine) and (engine.prompt.mean, engine.output.mean) == (20.0, 2.0)


def test_a_part_that_was_not_measured_is_named() -> None:
    desk, _ = a_desk()
    with pytest.raises(PartiError, match="P830 nothing is known of `read`: no call of it was seen"):
        Stations(desk.design, profile(), PRICES).deployed(Deployment("read"))


def test_the_way_to_a_site_takes_its_round_trip() -> None:
    desk, read = a_desk()
    desk.choices(read, sites=[Site("here"), Site("far", round_trip="40ms")])
    question = asked(desk, its_profile())
    for site, seconds in (("here", 0.0), ("far", 0.04)):
        network = question.model.network(Deployed((Deployment("read", site=site),)))
        (way,) = [station for station in network.stations if station.name.startswith("read@")]
        assert way.service.mean == seconds  # type: ignore[union-attr]


def test_a_variant_that_was_not_measured_is_refused_with_those_that_were() -> None:
    desk, read = a_desk()
    desk.choices(read, variants=[Variant("small", 0.9)])
    with pytest.raises(PartiError, match=r"test_stations.py:\d+: P832 the variant 'small' of `read` was not measured"):
        asked(desk, its_profile()).space.options("read")


def test_a_commit_takes_what_was_measured_and_nobody_waits_for_it() -> None:
    desk, _ = a_desk()
    found = replace(its_profile(), commit=Sampled.of([0.004, 0.006]))
    station = Stations(desk.design, found, PRICES).of(f"{COMMIT}@asking", Deployed(()))
    assert station.servers >= EVERYONE
    assert not isinstance(station.service, Engine)
    assert station.service.mean == pytest.approx(0.005)
