"""Progress of a running system: how many runs ended, and how many wait for people."""

from __future__ import annotations

from dataclasses import dataclass

from parti.engine.jobs import Job
from parti.engine.loop import Engine
from parti.ports.store import State
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts since the start; `waiting` and `open` are of this moment, and `open` is at work or in line."""

    at: Seconds
    done: int
    failed: int
    waiting: int
    open: int


def progress_of(engine: Engine) -> Progress:
    """Where `engine` stands; 0.3 µs for each open run."""
    tallies = engine.runs.meter.tallies.values()
    waiting = sum(map(waits_for_person, engine.runs.jobs.values()))
    return Progress(
        at=engine.clock.now(),
        done=sum(tally.done for tally in tallies),
        failed=sum(tally.dead for tally in tallies),
        waiting=waiting,
        open=len(engine.runs.jobs) - waiting,
    )


def waits_for_person(job: Job) -> bool:
    """Whether nothing but a person can help this run on."""
    if job.activation is not None:
        return job.activation.waiting() and any(wait.question for wait in job.activation.waits.values())
    return job.record.state is State.PARKED or (job.record.state is State.WAITING and job.asks)
