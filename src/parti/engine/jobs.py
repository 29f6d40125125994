"""Jobs: the runs that have not ended, as the engine holds them, at work or set aside."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from parti.design.dead_letter import DeadLetter
from parti.design.endpoint import Endpoint
from parti.design.goals import NO_RETRY, Retry
from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.engine.activation import Activation, Runner
from parti.engine.calling import OutOfTime
from parti.engine.steps import in_words, kind_of
from parti.engine.timers import Timer
from parti.errors import PartiError, RunError, StepFailed
from parti.journal.identity import partition_of, run_of_event
from parti.ports.store import OUTSIDE_FROM, Event, NewEvent, RunRecord, State
from parti.units import Seconds, duration_text

FINAL = frozenset(
    {
        "P110",
        "P301",
        "P305",
        "P308",
        "P310",
        "P312",
        "P313",
        "P401",
        "P402",
        "P404",
        "P702",
        "P703",
        "P704",
        "P705",
        "P706",
        "P708",
        "P709",
        "P710",
        "P722",
        "P901",
        "P902",
        "P903",
    }
)
"""Errors that another attempt cannot mend."""

LaneKey = tuple[str, str, str]


class Job:
    """One run that has not ended. `lane` is its place in line (None: it waits for nobody)."""

    __slots__ = (
        "_aside",
        "activation",
        "asks",
        "ends",
        "event",
        "lane",
        "listeners",
        "moved",
        "record",
        "runner",
        "settled",
        "since",
        "stored",
        "timer",
    )

    def __init__(self, runner: Runner, record: RunRecord, lane: LaneKey | None, since: Seconds) -> None:
        self.runner = runner
        self.record = record
        self.lane = lane
        self.since = since
        self.event: Event | None = None
        self.activation: Activation | None = None
        self.ends: list[asyncio.Future[RunRecord]] = []
        """Those who wait until the run's end is on disk."""
        self.listeners: list[Callable[[str], None]] = []
        """Who is told what the run tells."""
        self.settled: dict[str, Any] = {}
        """Answers given while the run was in memory."""
        self.moved: Callable[[bool], None] | None = None
        """Told when the run is set aside, and when it is no longer."""
        self._aside = False
        self.asks = False
        """Whether it rests because people have not answered yet."""
        self.stored = False
        """Whether its record is in the store (or in the present batch)."""
        self.timer: Timer | None = None
        """What wakes it while it rests."""

    @property
    def aside(self) -> bool:
        """Whether it, or who is first in its line, rests: then it takes no room that others could use."""
        return self._aside

    @aside.setter
    def aside(self, aside: bool) -> None:
        changed, self._aside = aside != self._aside, aside
        if changed and self.moved is not None:
            self.moved(aside)

    def wait_end(self) -> asyncio.Future[RunRecord]:
        """Done when the run's end is on disk; each caller has its own."""
        end: asyncio.Future[RunRecord] = asyncio.get_running_loop().create_future()
        if self.ends:  # those who gave up do not pile up
            self.ends = [other for other in self.ends if not other.done()]
        self.ends.append(end)
        return end

    def tell(self, text: str) -> None:
        """Pass on what the run tells to those who listen now."""
        for listener in self.listeners:
            listener(text)

    def fail(self, error: BaseException) -> None:
        """Tell those who wait for the run's end that it will never be on disk."""
        for end in self.ends:
            if not end.done():
                end.set_exception(error)


def job_of_event(handler: Handler, event: Event, group: str, code: str, now: Seconds) -> Job:
    """A job for an event that has no run on record."""
    record = RunRecord(
        run_of_event(handler.name, event.topic, event.partition, event.offset), handler.name, event.tenant, event.key,
        State.QUEUED, 1, event.topic, event.partition, event.offset, b"", b"", b"", event.at, 0.0, 0.0, 0.0, 0.0, code,
    )  # fmt: skip
    job = Job(handler, record, (group, event.tenant, event.key), now)
    if (
        len(event.payload) <= OUTSIDE_FROM
    ):  # a large one is read again when its turn comes: not all in line are in memory
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


def cause_of(error: BaseException) -> BaseException:
    """The first error in a group that another attempt cannot mend, else the first of all; other errors as they are."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    causes = [cause_of(inner) for inner in error.exceptions]
    return next((cause for cause in causes if isinstance(cause, PartiError) and cause.code in FINAL), causes[0])


def error_json(error: BaseException, runner: Runner) -> bytes:
    """An error as journaled: coded, with the place in the user's code."""
    if isinstance(error, PartiError):
        facts = {name: in_words(value) for name, value in error.as_json().items()}
        facts.setdefault("place", str(runner.place))
        return to_json({**facts, **({"kind": error.kind} if isinstance(error, StepFailed) else {})})
    kind = kind_of(error)
    if isinstance(error, OutOfTime):
        said = f"`{runner.name}` took longer than {duration_text(runner.timeout)}"
        return to_json({"code": "P303", "error": said, "place": str(runner.place), "kind": kind})
    return to_json(
        {"code": "P307", "error": f"{kind}: {in_words(error)}", "place": _place(error, runner), "kind": kind}
    )


def _place(error: BaseException, runner: Runner) -> str:
    """The innermost line of the traceback that lies beside the runner's own function, else the innermost of all."""
    frames = traceback.extract_tb(error.__traceback__)
    home = Path(runner.function.call.__code__.co_filename).parent
    own = [frame for frame in frames if _is_beside(Path(frame.filename), home)] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else str(runner.place)


def _is_beside(file: Path, home: Path) -> bool:
    return file.is_relative_to(home) and "site-packages" not in file.relative_to(home).parts


def error_of(record: RunRecord) -> RunError:
    """The error that a run ended with, to be raised for its caller."""
    if record.state is State.CANCELLED:
        error = RunError("P311", f"{record.id} was cancelled")
    else:
        facts = json.loads(record.error)
        fix = facts.get("try") or f"look at it with `parti why {record.id}`"
        kind = facts.get("kind", "")
        error = StepFailed(facts["code"], facts["error"], place=facts.get("place"), fix=fix, kind=kind)
    error.run = record.id
    return error


def dead_letter(job: Job, payload: bytes, topic: Topic, dead: Topic, at: Seconds) -> NewEvent:
    """The event of a dead run, as it goes to the dead letters of its topic."""
    facts, record = json.loads(job.record.error), job.record
    letter = DeadLetter(
        record.part, record.id, record.key, facts["code"], facts["error"], record.attempt, json.loads(payload)
    )
    partition = partition_of(record.tenant, record.key, dead.partitions)
    body = dead.payload.encode(letter)
    return NewEvent(dead.name, partition, record.tenant, record.key, body, dead.payload.digest, at, record.id)
