"""Small systems to plan: a design, a profile by hand, and prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from profile_kit import NONE, graph_of, profile

from parti import Slo, System
from parti.optimise.found import Limits
from parti.optimise.verifying import Care
from parti.planning.asked import Asked
from parti.planning.load import Stream, Workload
from parti.planning.planned import Planned
from parti.planning.planner import plan
from parti.planning.prices import MachineType, PriceList
from parti.planning.profile import PartKind, PartProfile, Profile, Service
from parti.planning.sampled import Sampled
from parti.sim.load import Arrivals, Poisson

LARGE = MachineType("own/large", "here", "general", 4, 16, 0.40, "2026-11-24", "https://example.org")
FAST = MachineType("own/fast", "here", "compute", 4, 16, 1.00, "2026-11-24", "https://example.org", speed=2.0)
PRICES = PriceList("test.toml", (LARGE, FAST))


def measured(
    name: str, kind: PartKind, seconds: Sequence[float], *, cpu: float | None = None, **batches: Sequence[float]
) -> PartProfile:
    """A part that took so long, alone and (``b8=…``) in batches; `cpu` is the share of it that is CPU time."""
    one = Sampled.of(seconds)
    services = [Service("", 1, one, cpu=None if cpu is None else cpu * one.mean)]
    services += [Service("", int(size[1:]), Sampled.of(times), cpu=cpu) for size, times in batches.items()]
    return PartProfile(name, kind, tuple(services), NONE, 0.0, 100.0)


def a_desk(slo: Slo | None = None) -> tuple[System, Any]:
    """An endpoint that reads (20 ms of CPU), then looks up (waits 50 ms)."""
    desk = System("desk", slo=slo or Slo(p99="500ms"))

    @desk.step
    def read(text: str) -> int:
        return len(text)

    @desk.tool(effect="read")
    async def look_up(size: int) -> str:
        return str(size)

    @desk.post("/ask")
    async def asking(text: str) -> str:
        return await look_up(await read(text))

    return desk, read


def its_profile(**facts: Any) -> Profile:
    """What was measured of it: of the 22 ms of CPU in a run 20 are those of `read`, and 1 of `look_up`."""
    return profile(
        measured("asking", "endpoint", [0.001] * 20, cpu=22.0),
        measured("read", "step", [0.015, 0.02, 0.025] * 20, cpu=1.0),
        measured("look_up", "tool", [0.04, 0.05, 0.06] * 20, cpu=0.02),
        **{"graphs": (graph_of("asking", [[("read",), ("look_up",)]] * 20),), **facts},
    )


def asked(
    desk: System,
    found: Profile,
    *,
    rate: float = 40.0,
    arrivals: Arrivals | None = None,
    entry: str = "asking",
    **facts: Any,
) -> Asked:
    """To plan that desk for a load."""
    stream = Stream(arrivals or Poisson(rate), ((entry, 1.0),), f"{rate:g}/s")
    slo = facts.pop("slo", desk.slo)
    return Asked(desk.design, found, PRICES, Workload((stream,)), slo, cloud="own", requests=3000, **facts)


CARE = Care(runs=20, broken_most=0.05)
LIMITS = Limits(seconds=1e9, extensions=20_000)


def ticking() -> Callable[[], float]:
    """A clock by which each look takes a microsecond."""
    ticks = count()
    return lambda: next(ticks) * 1e-6


def made(question: Asked) -> Planned:
    """The plan, found within a fixed number of simulations."""
    return plan(question, clock=ticking(), limits=LIMITS, care=CARE, say=lambda _: None)
