"""A profile from ordinary traffic: the latest runs of every handler, endpoint and schedule, out of the store's journal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from typing import Final

from pydantic_core import from_json

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.engine.entries import Entry, decode
from parti.errors import UsageError
from parti.planning.calls import CallGraph, Node, Published, added, chain
from parti.planning.gathered import Gathered, growth_of
from parti.planning.profile import ArrivalsSeen, PartKind, Profile, Unmeasured
from parti.planning.spans import Run, Span, flat, kind_in, run_of, stages
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
    gathering = _Gathering(design)
    for runner in design.parts:
        if isinstance(runner, Handler | Endpoint | Schedule):
            records = await store.runs(part=runner.name, since=since, until=until, limit=limit)
            if not isinstance(runner, Schedule):
                gathering.arrived(runner.name, await _arrivals(store, records))
            async for run in _runs(design, store, records):
                gathering.add(run)
    if not gathering.covers:
        raise UsageError(
            "P829", f"the journal of {design.name} holds no run to make a profile from",
            fix="let the system work first, or measure it with `parti profile`",
        )  # fmt: skip
    return gathering.profile(now)


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


async def _runs(design: Design, store: Store, records: Iterable[RunRecord]) -> AsyncIterator[Run]:
    for record in records:
        yield run_of(design, record, await _entries(store, record.id))


async def _entries(store: Store, run: str) -> list[Entry]:
    """The entries of a run. Answers that lie outside the journal are fetched, arguments are not: nobody looks at them."""
    found = []
    for row in await store.journal(run):
        for entry in decode(row.body):
            outside = entry.blobs.get("answer")
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


@dataclass(slots=True)
class _Gathering:
    """What the runs so far say."""

    design: Design
    parts: dict[str, Gathered] = field(default_factory=dict)
    pairs: dict[str, Counter[tuple[Node, Node]]] = field(default_factory=lambda: defaultdict(Counter))
    callers: Counter[str] = field(default_factory=Counter)
    published: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    arrivals: list[ArrivalsSeen] = field(default_factory=list)
    covers: int = 0
    other_code: int = 0
    since: Seconds = float("inf")
    until: Seconds = 0.0

    def arrived(self, entry: str, times: list[Seconds]) -> None:
        if times:
            self.arrivals.append(seen_at(entry, times))

    def add(self, run: Run) -> None:
        record = run.record
        self.covers += 1
        self.other_code += record.code != self.design.digest
        self.since, self.until = min(self.since, record.created), max(self.until, record.ended or record.created)
        part = self.part(record.part, kind_of_runner(self.design, record.part))
        part.count_run(run)
        if run.own is not None:
            part.add("", 1, run.own, max(0.0, record.started - record.created), record.started)
            self._follow(record.part, run.calls)
            self.published[record.part].update(run.published)
        if run.why in ("open", "interrupted"):
            return
        for span in flat(run.calls):
            self.part(span.part, span.kind).add_call(span)
            if span.inside or span.kind == "agent":
                self._follow(span.part, span.inside)
                grown = growth_of(span)
                if grown is not None:
                    self.part(grown[0], "llm").growths.append(max(0.0, grown[1]))

    def _follow(self, caller: str, calls: list[Span]) -> None:
        self.callers[caller] += 1
        groups = [tuple(span.part for span in stage) for stage in stages(calls)]
        self.pairs[caller].update(chain(groups))

    def part(self, name: str, kind: PartKind) -> Gathered:
        if name not in self.parts:
            self.parts[name] = Gathered(name, kind)
        return self.parts[name]

    def profile(self, now: Seconds) -> Profile:
        """All of it."""
        return Profile(
            system=self.design.name, design=self.design.digest, source="traffic", at=now, since=self.since,
            until=self.until, machine=NOT_RECORDED, parts=tuple(part.profile() for part in self.parts.values()),
            graphs=tuple(self._graph(caller) for caller in self.callers), arrivals=tuple(self.arrivals),
            unmeasured=tuple(self._unmeasured()), covers=self.covers, other_code=self.other_code,
        )  # fmt: skip

    def _graph(self, caller: str) -> CallGraph:
        published = tuple(
            Published(topic, count, handlers_of(self.design, topic))
            for topic, count in sorted(self.published[caller].items())
        )
        return CallGraph(caller, self.callers[caller], added(self.pairs[caller].items()), published)

    def _unmeasured(self) -> Iterable[Unmeasured]:
        for part in self.design.parts:
            kind = measurable_kind(self.design, part.name)
            if kind is None or (part.name in self.parts and self.parts[part.name].measured):
                continue
            if isinstance(part, Endpoint) and not part.durable:
                why = "a plain endpoint leaves nothing in the journal"
            elif part.name in self.parts:
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


def handlers_of(design: Design, topic: str) -> tuple[str, ...]:
    """The handlers that run for the events of a topic."""
    return tuple(handler.name for handler in design.all(Handler) if handler.topic == topic)


def kind_of_runner(design: Design, name: str) -> PartKind:
    """What kind of runner it is; a run's part may be declared no more."""
    part = design.by_name.get(name)
    return "endpoint" if isinstance(part, Endpoint) else "schedule" if isinstance(part, Schedule) else "handler"


def measurable_kind(design: Design, name: str) -> PartKind | None:
    """The kind of a part that takes time; None for a topic, table, person and the like."""
    if isinstance(design.by_name.get(name), Handler | Endpoint | Schedule):
        return kind_of_runner(design, name)
    return kind_in(design, name)
