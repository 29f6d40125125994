"""Sampling: the few runs and journals that a picture is made of, however much there is.

For each runner the latest runs are read, and of some that ended the journals. What a run was at an earlier moment follows from
its times: past and present are one question.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from parti.board.queries.calls import Placed
from parti.board.queries.kinds import runners_of
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.journal.entries import decode
from parti.ports.store import RunRecord, State, Store
from parti.units import Seconds

RUNS_MAX: Final = 480
"""Runs that one picture reads: about 8 µs each on SQLite."""

JOURNALS_MAX: Final = 48
"""Journals that one picture reads: about 40 µs each."""

LOOK_BACK: Final[Seconds] = 3600.0
"""How long ago a run may have come that is still of interest."""

PAGES_MAX: Final = 6
"""How many times as far back it is looked where none of the latest runs had begun at the moment."""

OPEN_MAX: Final = 100
"""Open runs that are read of each state."""


@dataclass(slots=True)
class Sample:
    """The runs of one runner: those that `ended` within the window, those `under_way`, and how many had not begun.

    `full` says that there are more than were read, `since` how far back they reach; `begun` is when the latest one that had
    begun came, None where none had.
    """

    runner: str
    ended: list[RunRecord] = field(default_factory=list)
    under_way: list[RunRecord] = field(default_factory=list)
    queued: int = 0
    full: bool = False
    since: Seconds = 0.0
    begun: Seconds | None = None
    steady: float | None = None
    """Runs a second as the topic tells, where only the latest runs were read and the handler keeps up."""
    journals: list[tuple[RunRecord, list[Placed]]] = field(default_factory=list)

    def rate(self, at: Seconds, window: Seconds) -> float:
        """Runs that ended in a second."""
        if self.steady is not None:
            return self.steady
        if not self.ended:
            return 0.0
        span = window
        if self.full:  # only the latest were read: they reach back so far
            span = min(window, max(at - min(run.ended for run in self.ended), 1e-3))
        return len(self.ended) / span


@dataclass(frozen=True, slots=True)
class Opened:
    """How many open runs each part has in each state, of those on record; `complete` if all were read."""

    counts: Counter[tuple[str, State]]
    complete: bool
    failing: dict[str, RunRecord]
    """For each part, the run that failed last within the window."""

    def of(self, part: str, *states: State) -> int:
        """How many runs of a part are in these states."""
        return sum(self.counts[part, state] for state in states)


async def sample(store: Store, design: Design, at: Seconds, window: Seconds) -> list[Sample]:
    """Runs and journals of every runner, with a bound on all of them together."""
    runners = runners_of(design)
    if not runners:
        return []
    runs = max(8, min(96, RUNS_MAX // len(runners)))
    journals = max(1, min(8, JOURNALS_MAX // len(runners)))
    found = []
    for runner in runners:
        one = await _of_runner(
            store, runner.name, at, window, runs, pages=PAGES_MAX if isinstance(runner, Handler) else 1
        )
        for record in one.ended[:journals]:
            rows = await store.journal(record.id)
            entries = [Placed(row.seq, n, entry) for row in rows for n, entry in enumerate(decode(row.body))]
            one.journals.append((record, entries))
        found.append(one)
    return found


async def _of_runner(store: Store, name: str, at: Seconds, window: Seconds, limit: int, pages: int) -> Sample:
    one = Sample(name, since=at)
    until = at + 1e-6
    for _ in range(pages):
        page = await store.runs(part=name, since=at - LOOK_BACK, until=until, limit=limit)
        for record in page:
            _sort(one, record, at, window)
        one.full = len(page) == limit
        if not page:
            break
        one.since = until = page[-1].created
        if one.begun is not None or not one.full:
            break
    one.ended.sort(key=lambda run: -run.ended)
    return one


def _sort(one: Sample, record: RunRecord, at: Seconds, window: Seconds) -> None:
    """Put a run where it was at the moment."""
    if not record.started or record.started > at:
        one.queued += not record.ended or record.ended > at
        return
    one.begun = max(record.created, one.begun or 0.0)
    if record.ended and record.ended <= at:
        if record.ended > at - window:
            one.ended.append(record)
    else:
        one.under_way.append(record)


async def opened(store: Store, at: Seconds, window: Seconds, *, present: bool) -> Opened:
    """The open runs by state, and the failures of the window. Of the past only what is open still, or died, is known."""
    counts: Counter[tuple[str, State]] = Counter()
    complete, failing = True, dict[str, RunRecord]()
    for state in (State.QUEUED, State.RUNNING, State.WAITING, State.BACKOFF, State.PARKED):
        found = await store.runs(state=state, until=at + 1e-6, limit=OPEN_MAX)
        complete &= len(found) < OPEN_MAX
        for record in found:
            if present or (record.started and record.started <= at) or state is State.QUEUED:
                counts[record.part, state] += 1
            if state is State.BACKOFF and record.error and present:
                failing.setdefault(record.part, record)
    for record in await store.runs(state=State.DEAD, since=at - LOOK_BACK, until=at + 1e-6, limit=OPEN_MAX):
        if at - window < record.ended <= at:
            failing[record.part] = record
    return Opened(counts, complete, failing)
