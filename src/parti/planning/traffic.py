"""A profile from ordinary traffic: the latest runs of every handler, endpoint and schedule, out of the store's journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import pairwise
from math import sqrt
from typing import Final

from pydantic_core import from_json

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.errors import UsageError
from parti.journal.entries import Entry, decode
from parti.planning.gathering import Gathering, measurable_kind
from parti.planning.profile import ArrivalsSeen, Profile, Unmeasured
from parti.planning.spans import Run, facts_of, run_of
from parti.ports.machine import Fingerprint
from parti.ports.store import RunRecord, Store
from parti.units import Seconds

LIMIT: Final = 2_000
"""Runs of each part that are read, the latest first; some 0.3 ms each."""

PAGE: Final = 1_000

NOT_RECORDED: Final = Fingerprint("not recorded", 0, 0, "", "", 0.0)
"""The journal does not say on which machine runs were at work."""


async def profile_of_traffic(
    design: Design, store: Store, *, now: Seconds, since: Seconds = 0.0, until: Seconds = 0.0, limit: int = LIMIT
) -> Profile:
    """What the latest `limit` runs of each part, created from `since` to before `until` (0: no bound), say of all parts.

    A part's own time is without the parts that it called, and without its time in line. Times of runs that a stop or crash cut
    in two, that needed several attempts or did not end well are left out, and counted. Raises P829 where there is no run.
    """
    gathering, arrivals = Gathering(design), list[ArrivalsSeen]()
    for runner in design.parts:
        if isinstance(runner, Handler | Endpoint | Schedule):
            records = await store.runs(part=runner.name, since=since, until=until, limit=limit)
            if not isinstance(runner, Schedule):
                times = await _arrivals(store, records)
                arrivals += [seen_at(runner.name, times)] if times else []
            async for run in read_runs(design, store, records):
                gathering.add(run)
    if not gathering.covers:
        raise UsageError(
            "P829", f"the journal of {design.name} holds no run to make a profile from",
            fix="let the system work first, or measure it with `parti profile`",
        )  # fmt: skip
    return Profile(
        system=design.name, design=design.digest, source="traffic", at=now, since=gathering.since, until=gathering.until,
        machine=NOT_RECORDED, parts=tuple(part.profile() for part in gathering.parts.values()),
        graphs=gathering.graphs(), arrivals=tuple(arrivals), unmeasured=tuple(_unmeasured(design, gathering)),
        covers=gathering.covers, other_code=gathering.other_code, at_once=gathering.at_once,
    )  # fmt: skip


async def arrivals_in(
    design: Design, store: Store, *, since: Seconds = 0.0, until: Seconds = 0.0, limit: int = 100_000
) -> dict[str, list[Seconds]]:
    """When the latest `limit` of what came from outside arrived at each handler and endpoint that got any, ascending."""
    found: dict[str, list[Seconds]] = {}
    for entry in design.parts:
        if isinstance(entry, Handler | Endpoint):
            records = await store.runs(part=entry.name, since=since, until=until, limit=limit)
            times = await _arrivals(store, records)
            if times:
                found[entry.name] = times
    return found


async def _arrivals(store: Store, records: Sequence[RunRecord]) -> list[Seconds]:
    outside = await _from_outside(store, records)
    return sorted(record.created for record in records if record.id in outside)


async def read_runs(design: Design, store: Store, records: Iterable[RunRecord]) -> AsyncIterator[Run]:
    """What each of these runs did."""
    for record in records:
        yield run_of(design, record, await _entries(store, record.id))


async def _entries(store: Store, run: str) -> list[Entry]:
    """The entries of a run. Answers that lie outside the journal are fetched, arguments are not: nobody looks at them."""
    found = []
    for row in await store.journal(run):
        for entry in decode(row.body):
            outside = facts_of(entry).get("answer")
            body = await store.blob(outside) if outside else None
            found.append(entry if body is None else entry._replace(answer=from_json(body)))
    return found


async def _from_outside(store: Store, records: Iterable[RunRecord]) -> set[str]:
    """The runs that no run of the system caused: calls, ticks, and runs of events that came from outside, or are gone."""
    found: set[str] = set()
    by_place: dict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    for record in records:
        if record.topic:
            by_place[record.topic, record.partition][record.offset] = record.id
        else:
            found.add(record.id)
    for (topic, partition), runs in by_place.items():
        start, end = min(runs), max(runs)
        caused: set[int] = set()
        while start <= end:
            page = await store.events(topic, partition, start=start, limit=min(PAGE, end - start + 1))
            if not page:
                break
            caused.update(event.offset for event in page if event.cause)
            start = page[-1].offset + 1
        found.update(id for offset, id in runs.items() if offset not in caused)
    return found


def _unmeasured(design: Design, gathering: Gathering) -> Iterator[Unmeasured]:
    for part in design.parts:
        kind, gathered = measurable_kind(design, part.name), gathering.parts.get(part.name)
        if kind is None or (gathered and gathered.measured):
            continue
        if isinstance(part, Endpoint) and not part.durable:
            why = "a plain endpoint leaves nothing in the journal"
        elif gathered:
            why = "none of its runs or calls can be used: they failed, were interrupted, or have not ended"
        else:
            why = "it was not at work in the runs that were read"
        yield Unmeasured(part.name, why)


def seen_at(entry: str, times: list[Seconds]) -> ArrivalsSeen:
    """What arrived at these times, ascending."""
    gaps = [after - before for before, after in pairwise(times)]
    mean = sum(gaps) / len(gaps) if gaps else 0.0
    spread = sqrt(sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1)) if len(gaps) > 1 else 0.0
    return ArrivalsSeen(entry, len(times), times[-1] - times[0], spread / mean if mean else 0.0)
