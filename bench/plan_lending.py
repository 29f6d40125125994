"""The lending example under `parti up`, without its language model, at several loads: what it did, and what was predicted.

A story begins when an application is sent and ends with the run that posted its letter. The commit of that last run is not in the measured
time, so its mean is taken off what is predicted.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from bench.live import Live, Sent, parti, run, surroundings, up
from bench.measured import RUNS_MAX, Measured, Window, of_callers, traffic
from bench.plan_compared import Compared, Replication, compared, prediction_of
from bench.venv import ROOT
from parti.declare.loading import load as load_app
from parti.design.graph import Design
from parti.planning.deployment import Door, OneProcess
from parti.planning.one_process import as_declared
from parti.planning.predicting import EVENT_LOOP
from parti.planning.profile import Profile
from parti.planning.storing import read_profile
from parti.sim.arrivals import times_of
from parti.sim.load import Arrivals, GammaArrivals, Poisson
from parti.wiring import open_store

APP: Final = ROOT / "bench" / "lending_at_load.py"
HANDLERS: Final = ("decide", "answer")
RUNNERS: Final = ("apply", *HANDLERS)
WARM: Final = 20
"""Applications before the first that counts."""

CALIBRATING: Final = 60.0
"""Applications a second while the profile's traffic is made and the sure ones are found."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Amount:
    """How much is measured: applications to calibrate with, samples of each part, seconds of a replication, replications, seeds.

    `uses` are the uses of the event loop, as predicted, for which loads are made, each with the cv of its gaps.
    """

    calibrating: int = 400
    samples: int = 200
    profile_seconds: float = 5.0
    seconds: float = 10.0
    replications: int = 3
    seeds: int = 6
    uses: tuple[tuple[float, float], ...] = ((0.4, 1.0), (0.5, 3.0), (0.8, 1.0), (1.15, 1.0))


QUICK: Final = Amount(12, 6, 0.2, 1.0, 2, 2, ((0.3, 1.0),))


@dataclass(frozen=True)
class Setting:
    """What all loads have in common."""

    directory: Path
    design: Design
    profile: Profile
    together: OneProcess
    bodies: Sequence[Mapping[str, Any]]
    amount: Amount


def lending(directory: Path, cores: int, amount: Amount, say: Say) -> tuple[list[Compared], dict[str, Any]]:
    """Every load measured and predicted, and facts of the profile."""
    say("starting the lending example, which trains its model")
    design = _design()
    applications = _incoming()[: amount.calibrating]
    with up(APP, directory, {}) as live:
        say("calibrating")
        live.load(
            ["/applications"], [0.0] * WARM, bodies=[json.dumps(one) for one in _warm(applications)], one_by_one=True
        )
        asyncio.run(_settled(live.store, 1, Window(0.0, 0.0, 0.0)))
        due = [number / CALIBRATING for number in range(len(applications))]
        before = live.loop_seconds()
        sent = live.load(["/applications"], due, bodies=[json.dumps(one) for one in applications])
        loop = (live.loop_seconds() - before) / len(due)
        seen = asyncio.run(traffic(design, live.store, Window.of(sent.at)))
    ends = asyncio.run(_ends(live.store, Window.of(sent.at)))
    sure = [one for one in applications if one["id"] in ends]
    say("profiling the lending example")
    profile = _profiled(directory, sure, amount)
    together = OneProcess(cores, _door(profile, loop), _handing_on(profile, seen))
    setting = Setting(directory, design, profile, together, sure, amount)
    per_second = _loop_use(setting) / 10.0
    found: list[Compared] = []
    with up(APP, directory, {}) as live:
        _send(live, setting, Poisson(10.0), 1.0 if amount.seconds < 5 else 3.0, seed=99)  # warm
        for use, cv in amount.uses:
            rate = round(use / per_second, 1)
            arrivals: Arrivals = Poisson(rate) if cv == 1 else GammaArrivals(rate, cv)
            say(f"lending, {rate:g}/s cv {cv:g}")
            replications = [_replication(live, setting, arrivals, number + 1) for number in range(amount.replications)]
            found.append(_compared(setting, arrivals, replications, past=use > 1))
    return found, {
        "sure": len(sure), "of": len(applications), "loop_ms": 1000 * loop, "handing_on_ms": 1000 * together.handing_on,
        "contention": list(profile.contention.why) if profile.contention else [],
    }  # fmt: skip


@cache
def _design() -> Design:
    """Its design; an app that adds to another one is loaded once."""
    return load_app(APP).design


def _warm(applications: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "id": f"warm-{number}"} for number, one in enumerate(applications[:WARM])]


def _compared(setting: Setting, arrivals: Arrivals, replications: Sequence[Replication], *, past: bool) -> Compared:
    profile, cv = setting.profile, arrivals.cv if isinstance(arrivals, GammaArrivals) else 1
    commit = profile.commit.mean if profile.commit is not None else 0.0
    return compared(
        f"lending, {arrivals.per_second:g}/s cv {cv:g}", setting.design, profile, "apply",  # type: ignore[union-attr]
        as_declared(setting.design, setting.together), replications, setting.amount.seeds, past=past, off=commit,
    )  # fmt: skip


def _incoming() -> list[dict[str, Any]]:
    sys.path.insert(0, str(ROOT / "examples" / "lending"))
    import data  # noqa: PLC0415 - it lies beside the example

    found: list[dict[str, Any]] = data.incoming()
    return found


def _profiled(directory: Path, sure: Sequence[Mapping[str, Any]], amount: Amount) -> Profile:
    """`parti profile` of the runners with applications of which the model is sure. Other parts are timed inside of them."""
    lines = "".join(f"{json.dumps(one)}\n" for one in sure)
    decisions = [{"application_id": one["id"], "approved": True, "decided_by": "model", "reasons": []} for one in sure]
    files = {"apply": lines, "decide": lines, "answer": "".join(f"{json.dumps(one)}\n" for one in decisions)}
    words: list[str] = []
    for name, text in files.items():
        (directory / f"{name}.jsonl").write_text(text, encoding="utf-8")
        words += ["--inputs", f"{name}={directory / f'{name}.jsonl'}", "--part", name]
    out = directory / "profile.json"
    run(
        parti("profile", APP, "--store", directory / "live.parti", "--out", out, *words, "--samples", str(amount.samples),
              "--seconds", str(amount.profile_seconds)),
        surroundings({}), allowed=(0, 1),
    )  # fmt: skip
    return read_profile(out)


def _handing_on(profile: Profile, seen: Profile) -> float:
    """How long events took from the disk to their handlers while the load was light: what those waited, without the commit."""
    services = [part.service() for name in HANDLERS if (part := seen.part(name)) is not None]
    waited = [service.waited.mean for service in services if service is not None and service.waited is not None]
    commit = profile.commit.mean if profile.commit is not None else 0.0
    return max(0.0, fmean(waited) - commit) if waited else 0.0


def _door(profile: Profile, loop: float) -> Door:
    """What is on the event loop for a story besides its runs as they were profiled: HTTP, and handing events on."""
    known = [profile.part(name) for name in RUNNERS]
    services = [part.service() for part in known if part is not None]
    inside = sum(service.loop or 0.0 for service in services if service is not None)
    return Door(max(0.0, loop - inside), 0.0)


def _loop_use(setting: Setting) -> float:
    """The use of the event loop at 10 applications a second, as predicted."""
    due = [number / 10.0 for number in range(100)]
    told = prediction_of(
        setting.design, setting.profile, "apply", as_declared(setting.design, setting.together), due, range(2)
    )
    return next(one.use.mean for one in told.parts if one.part == EVENT_LOOP)


def _send(live: Live, setting: Setting, arrivals: Arrivals, seconds: float, seed: int) -> tuple[Sent, list[str], float]:
    """A load; the ids of its applications, and the CPU seconds of the event loop for each."""
    due = [float(at) for at in times_of(arrivals, seconds=seconds, seed=seed)]
    bodies = [
        {**setting.bodies[number % len(setting.bodies)], "id": f"{arrivals.per_second:g}-{seed}-{number}"}  # type: ignore[union-attr]
        for number in range(len(due))
    ]
    before = live.loop_seconds()
    sent = live.load(["/applications"], due, bodies=[json.dumps(one) for one in bodies])
    asyncio.run(_settled(live.store, len(due), Window.of(sent.at)))
    return sent, [str(one["id"]) for one in bodies], (live.loop_seconds() - before) / len(due)


def _replication(live: Live, setting: Setting, arrivals: Arrivals, seed: int) -> Replication:
    sent, ids, loop = _send(live, setting, arrivals, setting.amount.seconds, seed)
    window = Window.of(sent.at)
    ends = asyncio.run(_ends(live.store, window))
    took = [ends[id] - at if id in ends else None for id, at in zip(ids, sent.at, strict=True)]
    quantiles, throughput = of_callers(sent.at, took, window)
    measured = Measured(quantiles, throughput, {EVENT_LOOP: min(1.0, loop * throughput)}, {EVENT_LOOP: fmean([loop])})
    return Replication(sent.at, measured, asyncio.run(traffic(setting.design, live.store, window)), sent.failed)


async def _ends(store: Path, window: Window) -> dict[str, float]:
    """When the letter of each application was on its way: the end of the run of `answer`, by application."""
    opened = open_store(store, read_only=True)
    try:
        runs = await opened.runs(part="answer", since=window.begin, limit=RUNS_MAX)
        return {run.key: run.ended for run in runs if run.state.ended}
    finally:
        await opened.close()


async def _settled(store: Path, count: int, window: Window, seconds: float = 120.0) -> None:
    """Wait until so many letters were posted since the window began, or for so long."""
    for _ in range(round(seconds / 0.5)):
        if len(await _ends(store, window)) >= count:
            return
        await asyncio.sleep(0.5)
