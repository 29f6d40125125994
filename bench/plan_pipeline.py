"""The pipeline of calibrated parts under `parti up`, at several loads and plans: what it did, and what was predicted.

The profile is `parti profile`'s, taken beforehand one call at a time; no load that is predicted was seen by it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Any, Final

from bench.live import Live, Sent, parti, run, surroundings, up
from bench.measured import Measured, Window, busy, of_callers, runs_of, traffic
from bench.plan_compared import Compared, Replication, compared
from bench.venv import ROOT
from parti.declare.loading import load as load_app
from parti.design.graph import Design
from parti.planning.deployment import Deployed, Deployment, Door, OneProcess
from parti.planning.profile import Profile
from parti.planning.storing import read_profile
from parti.sim.arrivals import times_of
from parti.sim.load import Arrivals, GammaArrivals, Poisson

APP: Final = ROOT / "bench" / "calibrated.py"
PARTS: Final = ("fetch", "crunch", "score", "file")
POPULATION: Final = 256
"""Requests ask for one of so many numbers, all of which are profiled: what is tested is the model, and not the luck of a sample."""

CRUNCH_ROUNDS: Final = 200_000

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How many each part serves at once, and the size of batches."""

    name: str
    fetch: int
    crunch: int
    score: int
    batch: int
    file: int

    @property
    def environment(self) -> dict[str, str]:
        """As the app reads it."""
        numbers = {
            "FETCH": self.fetch,
            "CRUNCH": self.crunch,
            "SCORE": self.score,
            "BATCH": self.batch,
            "FILE": self.file,
        }
        return {name: str(number) for name, number in numbers.items()}

    @property
    def places(self) -> dict[str, int]:
        """By part."""
        return {"fetch": self.fetch, "crunch": self.crunch, "score": self.score, "file": self.file}

    def deployed(self, together: OneProcess) -> Deployed:
        """As predictions take it."""
        return Deployed((Deployment("score", batch=self.batch),), together)


@dataclass(frozen=True)
class Cell:
    """One load on one plan."""

    plan: Plan
    arrivals: Arrivals
    past: bool = False
    """Whether it is more than the plan can serve."""

    @property
    def text(self) -> str:
        """As tables show it."""
        cv = self.arrivals.cv if isinstance(self.arrivals, GammaArrivals) else 1
        return f"{self.plan.name}, {self.arrivals.per_second:g}/s cv {cv:g}"  # type: ignore[union-attr]


A = Plan("A: fetch 4, crunch 1, score 1 x 8", fetch=4, crunch=1, score=1, batch=8, file=16)
B = Plan("B: fetch 3, crunch 1, score 2 x 4", fetch=3, crunch=1, score=2, batch=4, file=16)
C = Plan("C: fetch 8, crunch 2, score 1 x 2", fetch=8, crunch=2, score=1, batch=2, file=8)

CELLS: Final = (
    Cell(A, Poisson(60)), Cell(A, Poisson(98)), Cell(A, GammaArrivals(60, 3)), Cell(A, Poisson(140), past=True),
    Cell(B, Poisson(74)), Cell(B, GammaArrivals(45, 4)), Cell(C, Poisson(105)),
)  # fmt: skip


@dataclass(frozen=True)
class Amount:
    """How much is measured: samples of each part, seconds of each replication, and replications; seeds of each prediction."""

    samples: int = POPULATION
    profile_seconds: float = 10.0
    seconds: float = 12.0
    replications: int = 3
    seeds: int = 6
    calibrating: int = 300
    cells: tuple[Cell, ...] = CELLS


QUICK: Final = Amount(
    samples=5, profile_seconds=0.2, seconds=1.0, replications=2, seeds=2, calibrating=10, cells=(Cell(A, Poisson(30)),)
)


def iterations() -> int:
    """How many rounds of PBKDF2 are a millisecond of CPU time: the median of a few trials."""
    found = []
    for _ in range(5):
        began = time.thread_time()
        hashlib.pbkdf2_hmac("sha256", b"parti", b"salt", CRUNCH_ROUNDS)
        found.append(CRUNCH_ROUNDS / max(1e-9, time.thread_time() - began) / 1000.0)
    return max(1, round(median(found)))


def design_of(plan: Plan) -> Design:
    """The app as that plan declares it."""
    before = dict(os.environ)
    os.environ.update(plan.environment)
    try:
        return load_app(APP).design
    finally:
        os.environ.clear()
        os.environ.update(before)


def profiled(directory: Path, environment: Mapping[str, str], amount: Amount) -> Profile:
    """`parti profile` of the app."""
    numbers, out = directory / "numbers.jsonl", directory / "profile.json"
    numbers.write_text("".join(f"{number}\n" for number in range(POPULATION)), encoding="utf-8")
    inputs = [word for part in (*PARTS, "work", "nothing") for word in ("--inputs", f"{part}={numbers}")]
    run(
        parti("profile", APP, "--store", directory / "none.parti", "--out", out, *inputs, "--samples", str(amount.samples),
              "--seconds", str(amount.profile_seconds)),
        surroundings(environment), allowed=(0, 1),
    )  # fmt: skip
    return read_profile(out)


@dataclass(frozen=True)
class Setting:
    """What all cells have in common."""

    directory: Path
    environment: Mapping[str, str]
    profile: Profile
    cores: int
    amount: Amount


def pipeline(directory: Path, cores: int, amount: Amount, say: Say) -> tuple[list[Compared], dict[str, Any]]:
    """Every cell measured and predicted, and facts of the profile."""
    environment = {"ITERATIONS": str(iterations())}
    say("profiling the pipeline")
    profile = profiled(directory, {**environment, **A.environment}, amount)
    setting = Setting(directory, environment, profile, cores, amount)
    found: list[Compared] = []
    facts: dict[str, Any] = {"contention": list(profile.contention.why) if profile.contention else []}
    for plan in dict.fromkeys(cell.plan for cell in amount.cells):
        mine = directory / plan.name[0]
        mine.mkdir()
        with up(APP, mine, {**environment, **plan.environment}) as live:
            door = the_door(setting, live)
            facts.setdefault("door_ms", {})[plan.name] = [1000 * door.loop, 1000 * door.besides]
            sent: list[tuple[Cell, Sent]] = []
            live.load(paths(0, 20), [0.05 * number for number in range(20)])  # warm
            for cell in (one for one in amount.cells if one.plan == plan):
                for number in range(amount.replications):
                    say(f"{cell.text}, {number + 1} of {amount.replications}")
                    due = [float(at) for at in times_of(cell.arrivals, seconds=amount.seconds, seed=number + 1)]
                    sent.append((cell, live.load(paths(number, len(due)), due)))
        found += [_told(setting, cell, sent, mine, door) for cell in amount.cells if cell.plan == plan]
    return found, facts


def paths(seed: int, count: int) -> list[str]:
    """So many requests, for numbers drawn from the population."""
    draw = Random(seed)
    return [f"/work?number={draw.randrange(POPULATION)}" for _ in range(count)]


def the_door(setting: Setting, live: Live) -> Door:
    """What HTTP adds to a call, measured with requests that call no part, one at a time."""
    live.load(["/nothing?number={n}"], [0.0] * 20, one_by_one=True)
    before = live.loop_seconds()
    sent = live.load(["/nothing?number={n}"], [0.0] * setting.amount.calibrating, one_by_one=True)
    loop = (live.loop_seconds() - before) / len(sent.at)
    known = setting.profile.part("nothing")
    service, commit = (None if known is None else known.service()), setting.profile.commit
    assert service is not None and commit is not None, "`parti profile` measures it"
    answered = fmean(took for took in sent.took if took is not None)
    more = max(0.0, loop - (service.loop or 0.0))
    return Door(more, max(0.0, answered - service.seconds.mean - commit.mean - more))


def _told(
    setting: Setting, cell: Cell, sent: Sequence[tuple[Cell, Sent]], directory: Path, door: Door
) -> Compared:  # fmt: skip
    replications = list(_replications(setting, cell, [one for of, one in sent if of is cell], directory))
    deployed = cell.plan.deployed(OneProcess(setting.cores, door))
    return compared(
        cell.text,
        design_of(cell.plan),
        setting.profile,
        "work",
        deployed,
        replications,
        setting.amount.seeds,
        past=cell.past,
    )


def _replications(setting: Setting, cell: Cell, sent: Sequence[Sent], directory: Path) -> Iterator[Replication]:
    design = design_of(cell.plan)
    for one in sent:
        window = Window.of(one.at)
        runs = asyncio.run(runs_of(design, directory / "live.parti", ["work"], window))
        quantiles, throughput = of_callers(one.at, one.took, window)
        use, service = busy(runs, window, cell.plan.places)
        seen = asyncio.run(traffic(design, directory / "live.parti", window))
        yield Replication(one.at, Measured(quantiles, throughput, use, service), seen, one.failed)
