"""The closing of a session: how its runs went, what the monitors say, and how much was written."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Final

from parti.design.endpoint import Endpoint
from parti.design.handler import Handler
from parti.design.monitor import Monitor
from parti.design.schedule import Schedule
from parti.engine.loop import Engine
from parti.engine.meter import Tally
from parti.errors import PartiError
from parti.ports.store import State, Store
from parti.units import Bytes, Seconds
from parti.verbs.progress import waits_for_person

LOOKED_AT: Final = 200
"""Dead runs, the latest first, whose errors are told apart."""


@dataclass(frozen=True, slots=True)
class RunnerFacts:
    """The runs of one handler, endpoint or schedule.

    `done`, `failed`, `per_second` and the times (from a run's begin to its end, waiting included) are of this session;
    `waiting` is how many wait for a person now, `stored` how many runs of it are done in the whole store.
    """

    runner: str
    done: int
    waiting: int
    failed: int
    per_second: float
    p50: Seconds
    p99: Seconds
    stored: int


@dataclass(frozen=True, slots=True)
class FailureFacts:
    """Why runs of a runner died, one of which is `run`; `fix` is the next action where one is known."""

    runner: str
    run: str
    place: str
    code: str
    error: str
    fix: str


@dataclass(frozen=True, slots=True)
class Closing:
    """How a session went. `monitors` holds the figures of each monitor by its title, or the error it ended with.

    `failures` are the latest, one for each runner and code.
    """

    system: str
    store: str
    runners: list[RunnerFacts]
    monitors: dict[str, dict[str, float | str]]
    journal: Bytes
    failures: list[FailureFacts]


async def closing_of(engine: Engine) -> Closing:
    """What there is to say about an engine that stopped, and whose store is still open."""
    store = engine.store
    waiting = Counter(job.record.part for job in engine.runs.jobs.values() if waits_for_person(job))
    stored = await store.counts()
    runners = [
        _facts(
            part.name,
            engine.runs.meter.tallies.get(part.name),
            waiting[part.name],
            stored.get((part.name, State.DONE), 0),
        )
        for part in engine.design.parts
        if isinstance(part, Handler | Schedule) or (isinstance(part, Endpoint) and part.durable)
    ]
    failures = await _failures(store) if any(one.failed for one in runners) else []
    path = getattr(store, "path", "")
    return Closing(engine.design.name, str(path), runners, await _figures(engine), await store.size(), failures)


def _facts(name: str, tally: Tally | None, waiting: int, stored: int) -> RunnerFacts:
    tally = tally or Tally()
    return RunnerFacts(
        runner=name,
        done=tally.done,
        waiting=waiting,
        failed=tally.dead,
        per_second=tally.per_second,
        p50=tally.quantile(0.5),
        p99=tally.quantile(0.99),
        stored=stored,
    )


async def _failures(store: Store) -> list[FailureFacts]:
    """The latest failure of each runner and code."""
    found: dict[tuple[str, str], FailureFacts] = {}
    for run in await store.runs(state=State.DEAD, limit=LOOKED_AT):
        facts = json.loads(run.error or b"{}")
        place, code, error, fix = (str(facts.get(name, "")) for name in ("place", "code", "error", "try"))
        found.setdefault((run.part, code), FailureFacts(run.part, run.id, place, code, error, fix))
    return list(found.values())


async def _figures(engine: Engine) -> dict[str, dict[str, float | str]]:
    """The monitors' figures; one that fails says so, and does not hide how the session went."""
    try:
        return {title: dict(figures) for title, figures in (await engine.figures()).items()}
    except PartiError as wrong:
        return {monitor.title: {"error": str(wrong)} for monitor in engine.design.all(Monitor)}
    except Exception as wrong:  # a monitor is code of the user
        said = f"{type(wrong).__name__}: {wrong}"
        return {monitor.title: {"error": said} for monitor in engine.design.all(Monitor)}
