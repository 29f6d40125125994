"""Computing: the CPU time of a part is its own, and a process computes as often at once as its loop and its threads can."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plan_kit import LARGE, PRICES, a_desk, its_profile, measured
from profile_kit import NONE, graph_of, profile

from parti import Batch, Slo, System
from parti.planning.deployment import Deployment
from parti.planning.prices import PriceList
from parti.planning.profile import PartProfile, Service
from parti.planning.sampled import Sampled
from parti.planning.stations import Stations


def a_run(cpu: float, *, graphs: bool = True) -> Stations:
    """An endpoint that waits 50 ms itself; its run has so many seconds of CPU time, of which its step computes 30 ms."""
    desk, _ = a_desk()
    known = profile(
        measured("asking", "endpoint", [0.05], cpu=cpu / 0.05), measured("read", "step", [0.03], cpu=1.0),
        measured("look_up", "tool", [0.05], cpu=0.0),
        graphs=(graph_of("asking", [[("read",), ("look_up",)]]),) if graphs else (),
    )  # fmt: skip
    return Stations(desk.design, known, PRICES)


def test_what_a_step_computes_is_no_cpu_time_of_the_endpoint_that_calls_it() -> None:
    """31 ms of CPU in the run, of which 1 ms is its own: it waits, with as many hands as it declares."""
    assert a_run(0.031).deployed(Deployment("asking")).servers == 256
    assert a_run(0.031, graphs=False).deployed(Deployment("asking")).servers == 1


def test_of_an_endpoints_own_time_only_its_own_cpu_time_is_faster_on_a_faster_core() -> None:
    """Of 50 ms it computes 10: at twice the speed 5 ms less."""
    station = a_run(0.040).deployed(Deployment("asking", machine="own/fast"))
    assert station.service.mean == pytest.approx(0.045)  # type: ignore[union-attr]


def test_cpu_time_is_never_below_nothing() -> None:
    """Noise may make a step's CPU time greater than that of the whole run."""
    station = a_run(0.020).deployed(Deployment("asking", machine="own/fast"))
    assert station.service.mean == pytest.approx(0.05)  # type: ignore[union-attr]


def test_callees_of_callees_are_taken_off_as_well() -> None:
    """`read` itself calls a tool that computes 5 ms twice: 40 of the run's 41 ms are theirs."""
    desk, _ = a_desk()
    known = profile(
        measured("asking", "endpoint", [0.05], cpu=0.041 / 0.05), measured("read", "step", [0.03], cpu=1.0),
        measured("look_up", "tool", [0.005], cpu=1.0),
        graphs=(graph_of("asking", [[("read",)]]), graph_of("read", [[("look_up",), ("look_up",)]])),
    )  # fmt: skip
    stations = Stations(desk.design, known, PRICES)
    fast = stations.deployed(Deployment("asking", machine="own/fast"))
    assert fast.service.mean == pytest.approx(0.0495)  # type: ignore[union-attr]


def a_coroutine() -> Stations:
    """A step of the event loop that computes."""
    desk = System("desk")

    @desk.step
    async def count(text: str) -> int:
        return len(text)

    return Stations(desk.design, profile(measured("count", "step", [0.01], cpu=1.0)), PRICES)


def test_a_coroutine_computes_one_after_the_other_on_however_many_vcpus() -> None:
    assert a_coroutine().deployed(Deployment("count", replicas=3, cpus=4.0)).servers == 3


def test_blocking_functions_compute_on_as_many_vcpus_as_a_replica_has() -> None:
    desk, _ = a_desk()
    assert Stations(desk.design, its_profile(), PRICES).deployed(Deployment("read", replicas=3, cpus=4.0)).servers == 12


def test_vcpus_say_nothing_of_what_computes_on_a_gpu() -> None:
    desk, _ = a_desk()
    prices = PriceList("test.toml", (replace(LARGE, name="own/gpu", kind="gpu", accelerator="T4", accelerators=1),))
    station = Stations(desk.design, its_profile(), prices).deployed(Deployment("read", machine="own/gpu", cpus=4.0))
    assert station.servers == 1


def test_a_part_that_waits_in_batches_waits_one_by_one_too() -> None:
    """CPU time is measured of batches alone: a call by itself computes as little, so that two batches are under way at once."""
    desk = System("desk", slo=Slo(p99="1s"))

    @desk.step(concurrency=2, batch=Batch(4))
    async def score(values: list[int]) -> list[int]:
        return values

    many = Service("", 4, Sampled.of([0.018] * 20), cpu=0.001)
    for batches, servers in (((many,), 2), ((replace(many, cpu=0.017),), 1), ((), 1)):
        one = PartProfile("score", "step", (Service("", 1, Sampled.of([0.012] * 20)), *batches), NONE, 0.0, 100.0)
        found = Stations(desk.design, profile(one), PRICES).deployed(Deployment("score", cpus=2.0))
        assert found.servers == servers
