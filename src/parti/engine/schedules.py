"""Schedules: each tick is a run, put on record before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parti.design.schedule import Schedule
from parti.engine.jobs import Job, lane_of
from parti.engine.pressure import full_one
from parti.journal.identity import run_of_tick
from parti.ports.store import RunRecord, State
from parti.units import Seconds

if TYPE_CHECKING:
    from parti.engine.loop import Engine

AGAIN: Final[Seconds] = 1.0
"""When to look again after a tick that could not be taken up: the next tick may be a day away."""


async def keep_time(engine: Engine, schedule: Schedule) -> None:
    """Start a run at every tick, until cancelled. Of ticks missed while down only the latest runs.

    A tick during which the run before it is still open is left out, so that slow runs do not pile up.
    """
    note = f"tick:{schedule.name}"
    stored = await engine.store.note(note)
    done = int(stored) if stored else int(engine.clock.now() / schedule.every)
    if not stored:  # ticks missed from now on are known to be missed
        engine.commits.batch.notes[note] = str(done).encode()
        engine.commits.touch()
    while True:
        tick = int(engine.clock.now() / schedule.every)
        if tick > done and not _is_free(engine, schedule):
            await engine.clock.wait(AGAIN)
            continue
        if tick > done:
            done = tick
            engine.commits.batch.notes[note] = str(tick).encode()
            engine.commits.touch()
            if not any(job.record.part == schedule.name for job in engine.runs.jobs.values()):
                engine.runs.enter(_job(engine, schedule, tick))
        await engine.clock.wait(max(0.001, (tick + 1) * schedule.every - engine.clock.now()))


def _is_free(engine: Engine, schedule: Schedule) -> bool:
    """Whether a run may begin: it can be written down, and what it fills has room."""
    return not engine.trouble and engine.commits.room and full_one(engine, schedule.name) is None


def _job(engine: Engine, schedule: Schedule, tick: int) -> Job:
    now = engine.clock.now()
    record = RunRecord(
        run_of_tick(schedule.name, tick), schedule.name, "main", "", State.QUEUED, 1, "", -1, -1, b"[]", b"", b"", now,
        0.0, 0.0, 0.0, 0.0, engine.design.digest,
    )  # fmt: skip
    job = Job(schedule, record, lane_of(schedule, record, engine.design.groups[schedule.name]), now)
    job.stored = True
    engine.commits.batch.runs[record.id] = record
    return job
