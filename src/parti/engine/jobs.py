"""Jobs: the runs that have not ended, as the engine holds them, at work or set aside."""

from __future__ import annotations

import asyncio
import json
import traceback
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from parti.design.dead_letter import DeadLetter
from parti.design.endpoint import Endpoint
from parti.design.goals import NO_RETRY, Retry
from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.engine.activation import Activation, Runner
from parti.engine.identity import partition_of, run_of_event
from parti.errors import PartiError, RunError, StepFailed
from parti.ports.store import Event, NewEvent, RunRecord, State
from parti.units import Seconds

FINAL = frozenset({"P301", "P305", "P310", "P401", "P402", "P404"})
"""Errors that another attempt cannot mend."""

LaneKey = tuple[str, str, str]


class Job:
    """One run that has not ended. `lane` is its place in line (None: it waits for nobody)."""

    __slots__ = (
        "activation",
        "asks",
        "event",
        "future",
        "lane",
        "record",
        "runner",
        "settled",
        "since",
        "stored",
        "turn",
    )

    def __init__(self, runner: Runner, record: RunRecord, lane: LaneKey | None, since: Seconds) -> None:
        self.runner = runner
        self.record = record
        self.lane = lane
        self.since = since
        self.event: Event | None = None
        self.activation: Activation | None = None
        self.future: asyncio.Future[RunRecord] | None = None
        """Resolved when the run's end is on disk, for those who wait for it."""
        self.settled: dict[str, Any] = {}
        """Answers given while the run was in memory."""
        self.asks = False
        """Whether it rests because people have not answered yet."""
        self.stored = False
        """Whether its record is in the store (or in the present batch)."""
        self.turn = False
        """Whether it is first in its line and waits for room, or is at work."""


def job_of_event(handler: Handler, event: Event, group: str, code: str, now: Seconds) -> Job:
    """A job for an event that has no run on record."""
    record = RunRecord(
        run_of_event(handler.name, event.topic, event.partition, event.offset), handler.name, event.tenant, event.key,
        State.QUEUED, 1, event.topic, event.partition, event.offset, b"", b"", b"", event.at, 0.0, 0.0, 0.0, 0.0, code,
    )  # fmt: skip
    job = Job(handler, record, (group, event.tenant, event.key), now)
    job.event = event
    return job


def lane_of(runner: Runner, record: RunRecord, group: str) -> LaneKey | None:
    """Where a run stands in line: by key within its group; ticks of a schedule one after the other."""
    if isinstance(runner, Endpoint) and not runner.key:
        return None
    return (group, record.tenant, record.key)


def retry_of(runner: Runner) -> Retry:
    """How failures of a runner are tried again: an endpoint's failure is its answer."""
    return NO_RETRY if isinstance(runner, Endpoint) else runner.retry


def error_json(error: Exception, runner: Runner) -> bytes:
    """An error as journaled: coded, with the place in the user's code."""
    if isinstance(error, PartiError):
        facts = error.as_json()
        facts.setdefault("place", str(runner.place))
        return to_json({**facts, **({"kind": error.kind} if isinstance(error, StepFailed) else {})})
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    place = f"{Path(frame[0].filename).name}:{frame[0].lineno}" if frame else str(runner.place)
    code = "P303" if isinstance(error, TimeoutError) else "P307"
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return to_json({"code": code, "error": f"{kind}: {error}", "place": place, "kind": kind})


def error_of(record: RunRecord) -> RunError:
    """The error that a run ended with, to be raised for its caller."""
    if record.state is State.CANCELLED:
        return RunError("P311", f"{record.id} was cancelled")
    facts = json.loads(record.error)
    fix = facts.get("try") or f"look at it with `parti why {record.id}`"
    return StepFailed(facts["code"], facts["error"], place=facts.get("place"), fix=fix, kind=facts.get("kind", ""))


def dead_letter(job: Job, payload: bytes, topic: Topic, dead: Topic, at: Seconds) -> NewEvent:
    """The event of a dead run, as it goes to the dead letters of its topic."""
    facts, record = json.loads(job.record.error), job.record
    letter = DeadLetter(
        record.part, record.id, record.key, facts["code"], facts["error"], record.attempt, json.loads(payload)
    )
    partition = partition_of(record.tenant, record.key, dead.partitions)
    body = dead.payload.encode(letter)
    return NewEvent(dead.name, partition, record.tenant, record.key, body, dead.payload.digest, at, record.id)
