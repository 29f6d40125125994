"""Why a run did what it did: where it came from, each thing it did, what it waited for, and what it caused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from parti.errors import RunError
from parti.journal.caused import Caused, find_caused
from parti.journal.entries import Entry, Kind, decode
from parti.journal.identity import question_of_doubt
from parti.journal.whole import whole
from parti.ports.store import Event, QuestionRecord, RunRecord, Store
from parti.units import Seconds
from parti.verbs.target import Target, now


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the journal. `kind` is that of parti.journal.entries.Kind; `at`, `took` and `waited` are seconds.

    A call `waited` in line before `at`; `batch` is how many were served together, 0 for one that was served by itself.
    `arguments` and `answer` are whole, wherever they lie; `branch` names the task of the run, a write's is its key.
    """

    seq: int
    kind: str
    part: str
    at: Seconds
    took: Seconds
    attempt: int
    branch: str
    arguments: Any
    answer: Any
    digest: str
    waited: Seconds = 0.0
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time went, in seconds: in line before it began, at work, and waiting for people, timers or another try."""

    in_line: Seconds
    working: Seconds
    waiting: Seconds


@dataclass(frozen=True, slots=True)
class Why:
    """Everything known of a run. `origin` is the event it handles (None: called, a tick, or expired meanwhile)."""

    run: RunRecord
    origin: Event | None
    timing: Timing
    moments: list[Moment]
    questions: list[QuestionRecord]
    caused: list[Caused]


async def why(target: Target, id: str) -> Why:
    """The account of a run. Raises P308."""
    async with target.reading() as store:
        run = await store.run(id)
        if run is None:
            raise RunError("P308", f"there is no run {id!r}", fix="list them with `parti runs`")
        moments = [
            await _moment(row.seq, entry, store) for row in await store.journal(run.id) for entry in decode(row.body)
        ]
        return Why(
            run=run,
            origin=await _origin(run, store),
            timing=_timing(run),
            moments=moments,
            questions=await _questions(run, moments, store),
            caused=await find_caused(run, _published(moments), store),
        )


def _published(moments: list[Moment]) -> list[tuple[str, str]]:
    """Topic and key of each event that was published."""
    return [(moment.part, str(moment.arguments)) for moment in moments if moment.kind == Kind.PUBLISH]


async def _moment(seq: int, entry: Entry, store: Store) -> Moment:
    return Moment(
        seq=seq,
        kind=entry.kind,
        part=entry.part,
        at=entry.at,
        took=entry.took,
        attempt=entry.attempt,
        branch=entry.branch,
        arguments=await whole(entry, "arguments", entry.arguments, store),
        answer=await whole(entry, "answer", entry.answer, store),
        digest=entry.digest,
        waited=entry.waited,
        batch=entry.batch,
    )


async def _origin(run: RunRecord, store: Store) -> Event | None:
    if not run.topic:
        return None
    found = await store.events(run.topic, run.partition, start=run.offset, limit=1)
    return found[0] if found and found[0].offset == run.offset else None


def _timing(run: RunRecord) -> Timing:
    end = run.ended or now()
    began = run.started or end
    return Timing(
        in_line=max(0.0, began - run.created), working=run.busy, waiting=max(0.0, end - began - run.busy)
    )  # fmt: skip


async def _questions(run: RunRecord, moments: list[Moment], store: Store) -> list[QuestionRecord]:
    """The questions the run put, and those about its writes in doubt."""
    asked = [moment.digest for moment in moments if moment.kind == Kind.ASK]
    writes = Counter((moment.part, moment.digest) for moment in moments if moment.kind == Kind.INTENT)
    doubts = [
        question_of_doubt(run.id, *write, start) for write, starts in writes.items() for start in range(1, starts + 1)
    ]
    found = [await store.question(id) for id in dict.fromkeys([*asked, *doubts])]
    return [question for question in found if question is not None]
