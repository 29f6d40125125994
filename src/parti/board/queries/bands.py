"""Bands: when a run as a whole stood in line, waited for another try, or was dead until a person started it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from parti.board.queries.calls import Placed
from parti.board.queries.shares import Band
from parti.journal.entries import Kind
from parti.ports.store import RunRecord, State
from parti.units import Seconds


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that failed: from `at` until `until`, in seconds since 1970, with the error as it was journaled."""

    number: int
    at: Seconds
    until: Seconds
    error: Any = field(default=None)


def attempts_of(entries: Sequence[Placed]) -> list[Attempt]:
    """The tries of a run that failed. One that was at rest meanwhile began earlier than is told: it is the last stint that counts."""
    return [
        Attempt(one.entry.attempt, one.entry.at - one.entry.took, one.entry.at, one.entry.answer)
        for one in entries
        if one.entry.kind == Kind.ATTEMPT
    ]


def bands_of(record: RunRecord, entries: Sequence[Placed], until: Seconds) -> list[Band]:
    """The times between the tries of a run, as far as its record and journal tell, until `until`."""
    begins = _begins(record, entries, until)
    failures = attempts_of(entries)
    first = min([*begins.values(), record.started or until, until])
    bands = [Band(record.created, max(record.created, first), "in_line")]
    retried = [one.entry.at for one in entries if one.entry.kind == Kind.RETRY]
    for failure in failures:
        again = next((at for at in retried if at >= failure.until), None)
        following = begins.get(failure.number + 1)
        if again is not None and (following is None or again <= following):
            bands.append(Band(failure.until, again, "dead"))
            begun = min([at for at in (following, record.started) if at and at >= again], default=until)
            bands.append(Band(again, begun, "in_line"))
        elif following is not None:
            bands.append(Band(failure.until, max(failure.until, following), "backoff"))
        elif record.state in (State.BACKOFF, State.QUEUED):
            bands.append(Band(failure.until, until, "backoff" if record.state is State.BACKOFF else "in_line"))
    return [band for band in bands if band.until > band.at]


def _begins(record: RunRecord, entries: Sequence[Placed], until: Seconds) -> dict[int, Seconds]:
    """The earliest sign of each attempt; that of the last, which may have answered all from its journal, from its busy seconds."""
    found: dict[int, Seconds] = {}
    journaled: dict[int, Seconds] = defaultdict(float)
    rested = False
    for one in entries:
        entry = one.entry
        rested = rested or entry.kind in (Kind.ASK, Kind.SLEEP, Kind.RETRY)
        if entry.attempt < 1 or entry.kind == Kind.RETRY:
            continue
        if entry.kind == Kind.ATTEMPT:
            journaled[entry.attempt] += entry.took
        at = entry.at - (entry.took if entry.kind == Kind.ATTEMPT else entry.waited)
        found[entry.attempt] = min(at, found.get(entry.attempt, at))
    if record.state.ended and record.ended and not rested and record.attempt not in journaled:
        last = record.busy - sum(journaled.values())
        at = max(record.created, (record.ended or until) - max(0.0, last))
        found[record.attempt] = min(at, found.get(record.attempt, at)) if last > 0 else found.get(record.attempt, at)
    return found
