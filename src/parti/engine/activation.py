"""An activation: a run while it is in memory, with what it has journaled, buffered and waits for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from parti.design.endpoint import Endpoint
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.engine.facts import TABLE, notes_of
from parti.engine.recorded import Recorded
from parti.engine.services import Services
from parti.journal.entries import MORE, Kind, chunk, encode
from parti.ports.store import NewEvent, RunRecord
from parti.trust.echoes import Echoes
from parti.trust.taint import Taint
from parti.trust.veil import Veil
from parti.units import Seconds

if TYPE_CHECKING:
    from parti.engine.context import RunContext

PATIENCE: Final[Seconds] = 5.0
"""How long a branch that was cancelled may take to end."""

Runner = Handler | Endpoint | Schedule


class Unwinding(Enum):
    """Why an activation is being taken down before its function returned."""

    NO = auto()
    SUSPEND = auto()
    PARK = auto()
    HAND_BACK = auto()
    CANCEL = auto()
    REWIND = auto()
    OVER = auto()


class Wait:
    """A durable wait of one branch: for a person's answer or for a moment. `until` is 0 without a deadline."""

    __slots__ = ("future", "question", "until")

    def __init__(self, question: str, until: Seconds, future: asyncio.Future[Any]) -> None:
        self.question = question
        self.until = until
        self.future = future


class Activation:
    """State of one run at work. Its contexts (one a branch) and the engine change it; it does nothing by itself."""

    __slots__ = (
        "allowed",
        "attempt",
        "began",
        "begun",
        "blobs",
        "branched",
        "branches",
        "busy",
        "cancelled",
        "doubted",
        "echoes",
        "entries",
        "events",
        "flying",
        "in_line",
        "inside",
        "journaled",
        "key",
        "over",
        "pins",
        "record",
        "recorded",
        "rows",
        "runner",
        "services",
        "settled",
        "started",
        "taint",
        "task",
        "tell",
        "unwinding",
        "value",
        "veil",
        "waiting_since",
        "waits",
    )  # fmt: skip

    def __init__(
        self,
        services: Services,
        runner: Runner,
        record: RunRecord,
        value: tuple[Any, ...],
        recorded: Recorded | None,
        settled: dict[str, Any],
    ) -> None:
        self.services = services
        self.runner = runner
        self.record = record
        self.value = value
        self.recorded = recorded
        self.settled = settled
        self.key = record.key
        self.attempt = record.attempt
        self.allowed = services.allowed[runner.name]
        self.entries: list[bytes] = []
        self.blobs: dict[str, bytes] = {}
        self.events: list[NewEvent] = []
        self.rows: dict[tuple[str, str, str], bytes | None] = {}
        self.waits: dict[str, Wait] = {}
        self.pins: dict[str, int] = {}
        self.flying: dict[tuple[str, str], asyncio.Future[None]] = {}
        self.in_line: set[asyncio.Task[Any]] = set()
        """Tasks whose writes stand in line: they have not begun."""
        self.busy = 0
        """Steps under way: the run cannot be suspended meanwhile."""
        self.journaled = recorded is not None
        """Whether entries of it are (or are about to be) in the journal."""
        self.began = self.started = services.clock.now()
        self.branches: dict[asyncio.Task[Any], RunContext] = {}
        """Tasks that the run has started and that have not ended, each with its context."""
        self.begun = False
        """Whether its task runs; one that is cancelled before would never tell how it ended."""
        self.waiting_since: Seconds = 0.0
        self.inside = False
        """Whether the function is being called."""
        self.over = False
        """Whether the function has ended, in whatever way: then there is nothing to take down any more."""
        self.branched = False
        """Whether the function has started tasks: then what they read of each other's rows is journaled."""
        self.doubted: set[tuple[str, str]] = set()
        """Writes (tool and key) that ended in doubt."""
        self.cancelled = False
        """Whether a person cancelled the run."""
        self.tell: Callable[[str], None] = _to_nobody
        self.taint = None if services.labelling is None else Taint()
        """The labels that the run has read; None where labels are not held."""
        self.echoes: Echoes | None = None
        """The values that it has read, to be found again in what it does; None where nothing is looked for."""
        self.veil: Veil | None = None
        """The labelled values that it knows; None while no gate masks."""
        self.unwinding = Unwinding.NO
        self.task: asyncio.Task[None] | None = None

    def note(
        self,
        kind: str,
        branch: str,
        part: str,
        digest: str,
        at: Seconds,
        took: Seconds,
        arguments: bytes,
        answer: bytes,
        more: MORE = None,
    ) -> None:
        """Journal one entry, written when the run next commits, is fenced or has been open for a moment."""
        self.entries.append(
            encode(kind, branch, part, digest, self.attempt, at, took, arguments, answer, self.blobs, more)
        )

    def flush(self, *, always: bool = False) -> None:
        """Hand the entries so far to the present batch, with the run's record, so that a restart finds them."""
        if self.entries or not self.journaled or always:
            commits = self.services.commits
            if self.entries:
                commits.batch.entries.append((self.record.id, chunk(self.entries)))
                commits.batch.blobs.update(self.blobs)
            commits.batch.runs[self.record.id] = self.record
            commits.touch(1 + len(self.entries))
            self.entries, self.blobs = [], {}
            self.journaled = True

    async def fence(self) -> None:
        """Return when all that the run has journaled is on disk."""
        self.flush()
        await self.services.commits.durable()

    def release(self, at: Seconds) -> None:
        """Hand everything the run leaves behind (entries, events, rows, record) to the present batch."""
        batch, record = self.services.commits.batch, self.record
        for (table, _, key), row in self.rows.items():
            kind = Kind.DELETE if row is None else Kind.PUT
            shown = b"null" if table.startswith(TABLE) else row  # a fact is journaled already, when it is remembered
            self.note(kind, "", table, "", at, 0.0, _quoted(key), shown or b"null")
        for event in self.events:
            self.note(Kind.PUBLISH, "", event.topic, "", at, 0.0, _quoted(event.key), b"null")
        if self.entries:
            batch.entries.append((record.id, chunk(self.entries)))
        if self.blobs:
            batch.blobs.update(self.blobs)
        batch.runs[record.id] = record
        batch.events.extend(self.events)
        batch.notes.update(notes_of(self.rows.items()))
        for place, row in self.rows.items():
            batch.rows[place] = row
            self.services.overlay.put(place, row, self.services.commits.number)
        self.services.commits.touch(1 + len(self.entries) + len(self.events) + len(self.rows))
        self.entries, self.blobs, self.events, self.rows = [], {}, [], {}

    def discard(self) -> None:
        """Forget the events and rows of an attempt that failed."""
        self.events, self.rows = [], {}

    def waiting(self) -> bool:
        """Whether nothing but durable waits holds the run."""
        return bool(self.waits) and self.busy == 0

    def next_wake(self) -> Seconds:
        """When the earliest wait ends by itself; 0 when none does."""
        return min((wait.until for wait in self.waits.values() if wait.until), default=0.0)

    def unwind(self, why: Unwinding) -> None:
        """Take the function down. What it awaits is cancelled; what it does meanwhile is refused."""
        if why is Unwinding.CANCEL:
            self.cancelled = True
        if self.unwinding is Unwinding.NO:
            self.unwinding = why
            self.take_down()

    def take_down(self) -> None:
        """Cancel the function, unless it has ended by itself."""
        if self.task is not None and self.begun and not self.over:
            self.task.cancel()


async def wind_down(run: Activation) -> None:
    """Let writes that branches of the run have begun end, then take down the branches that its function left behind."""
    if run.unwinding is Unwinding.NO:
        run.unwinding = Unwinding.OVER
    for task in run.in_line:
        task.cancel()
    while run.flying:
        await asyncio.wait(list(run.flying.values()))
    left = [task for task, branch in run.branches.items() if branch.uses]
    for task in left:
        task.cancel()
    if left:
        done, _ = await asyncio.wait(left, timeout=PATIENCE)
        for task in done:
            if not task.cancelled():
                task.exception()  # looked at: nobody else will


def _to_nobody(_: str) -> None:
    """Nobody listens."""


def _quoted(text: str) -> bytes:
    return json.dumps(text).encode()
