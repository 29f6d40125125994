"""The picture: what each part and arrow did in the seconds before a moment, from a bounded sample.

The same question for now and for any moment of the last hour. It reads at most about 500 runs, 50 journals and a few events of 64
partitions, whatever the load: some milliseconds on SQLite.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from parti.board.queries.calls import calls_of
from parti.board.queries.figures import Tally, arrow_of, percentile
from parti.board.queries.kinds import kind_of, part_of
from parti.board.queries.lines import known_of, run_line
from parti.board.queries.offsets import Stream, offset_at
from parti.board.queries.sampling import Opened, Sample, opened, sample
from parti.design.endpoint import Endpoint
from parti.design.graph import Arrow, Design, Part
from parti.design.handler import Handler
from parti.design.monitor import Monitor
from parti.design.person import Person
from parti.design.source import Source
from parti.design.topic import Topic
from parti.ports.store import RunRecord, State, Store
from parti.units import Seconds

WINDOW: Final[Seconds] = 10.0
STREAMS_MAX: Final = 64
"""Partitions that are looked at; a topic's others count like those."""

ERRORS_MAX: Final = 20
"""Parts whose last error is read."""

QUESTIONS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class PartFigures:
    """One part. Rates are per second and None where nothing is journaled (a plain endpoint); `queue` counts events that a handler
    has not begun, or open questions. `sampled` runs or calls are behind the percentiles. `in_flight`, `waiting` and `backoff` count
    runs on record; `failed` those of the sample that failed. `over_slo` compares a runner's p99 with the system's."""

    name: str
    kind: str
    rate_per_second: float | None = None
    sampled: int = 0
    p50_seconds: Seconds | None = None
    p99_seconds: Seconds | None = None
    over_slo: bool | None = None
    queue: int | None = None
    queue_exact: bool = True
    in_flight: int | None = None
    waiting: int | None = None
    backoff: int | None = None
    failed: int = 0
    error_share: float | None = None
    failed_just_now: bool = False
    last_error: str | None = None
    usd_per_second: float = 0.0
    tokens_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class ArrowFigures:
    """One arrow of the design, figures as those of a part."""

    source: str
    kind: str
    target: str
    may: bool
    rate_per_second: float | None = None
    sampled: int = 0
    p50_seconds: Seconds | None = None
    p99_seconds: Seconds | None = None
    queue: int | None = None
    failed: int = 0
    error_share: float | None = None
    failed_just_now: bool = False
    usd_per_second: float = 0.0
    tokens_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """The system in the `window_seconds` before `at`. `complete` says that the window held no more than was read."""

    at: Seconds
    window_seconds: Seconds
    slo_p99_seconds: Seconds | None
    availability_goal: float | None
    sampled_runs: int
    sampled_journals: int
    complete: bool
    parts: tuple[PartFigures, ...]
    arrows: tuple[ArrowFigures, ...]
    open_questions: int


@dataclass(slots=True)
class _Streams:
    """Events a second of each topic; its handlers' queues, and whether they are counted or estimated."""

    rates: dict[str, float]
    queues: dict[str, int]
    exact: bool


@dataclass(slots=True)
class _Facts:
    """What was read and counted up."""

    design: Design
    samples: dict[str, Sample]
    opened: Opened
    streams: _Streams
    asked: Counter[str]
    parts: dict[str, Tally]
    arrows: dict[tuple[str, str, str], Tally]
    errors: Mapping[str, str]
    at: Seconds
    window: Seconds


async def picture(
    store: Store, design: Design, *, at: Seconds, now: Seconds | None = None, window: Seconds = WINDOW
) -> Picture:
    """The picture of the `window` seconds that end at `at`. Where that is before `now` (None: it is now), queues are estimated."""
    present = now is None or at >= now - 1.0
    samples = await sample(store, design, at, window)
    open_now = await opened(store, at, window, present=present)
    streams = await _streams(store, design, samples, open_now, at, window, present=present)
    _steady(design, samples, streams, window)
    parts, arrows = _tallies(design, samples, at, window)
    questions = [one for one in await store.questions(limit=QUESTIONS_MAX) if one.asked <= at]
    facts = _Facts(
        design=design,
        samples={one.runner: one for one in samples},
        opened=open_now,
        streams=streams,
        asked=Counter(question.who for question in questions),
        parts=parts,
        arrows=arrows,
        errors=await _errors(store, design, samples, open_now, at),
        at=at,
        window=window,
    )
    slo = design.slo
    return Picture(
        at=at,
        window_seconds=window,
        slo_p99_seconds=slo.p99 if slo else None,
        availability_goal=slo.availability if slo else None,
        sampled_runs=sum(len(one.ended) + len(one.under_way) for one in samples),
        sampled_journals=sum(len(one.journals) for one in samples),
        complete=open_now.complete
        and not any(one.full and at - one.since < window for one in samples)
        and all(len(one.journals) == len(one.ended) for one in samples),
        parts=tuple(_part(facts, part) for part in design.parts),
        arrows=tuple(_arrow(facts, arrow) for arrow in _once(design.arrows)),
        open_questions=len(questions),
    )


def _steady(design: Design, samples: Sequence[Sample], streams: _Streams, window: Seconds) -> None:
    """Of a busy handler only the latest runs were read, which may be a burst: while it keeps up, its topic's rate is its own."""
    for one in samples:
        handler = design.by_name[one.runner]
        if one.full and one.ended and isinstance(handler, Handler):
            came = streams.rates.get(handler.topic, 0.0)
            if streams.queues.get(one.runner, 0) < came * window / 2:
                one.steady = came


def _once(arrows: Sequence[Arrow]) -> list[Arrow]:
    """One arrow for each source, kind and target, wherever in the program they stand; certain ones before possible ones."""
    found: dict[tuple[str, str, str], Arrow] = {}
    for arrow in sorted(arrows, key=lambda one: one.may):
        found.setdefault((arrow.source, arrow.kind, arrow.target), arrow)
    return list(found.values())


def _tallies(
    design: Design, samples: Sequence[Sample], at: Seconds, window: Seconds
) -> tuple[dict[str, Tally], dict[tuple[str, str, str], Tally]]:
    """The calls in the journals, by part and by arrow."""
    parts: dict[str, Tally] = defaultdict(Tally)
    arrows: dict[tuple[str, str, str], Tally] = defaultdict(Tally)
    for one in samples:
        weight = one.rate(at, window) / len(one.journals) if one.journals else 0.0
        for record, entries in one.journals:
            for call in calls_of(design, entries, record.ended):
                arrow = arrow_of(design, call, one.runner)
                if arrow is None:
                    continue
                parts[arrow[2]].add(call, weight)
                arrows[arrow].add(call, weight)
                arrows[arrow].spend(call, weight)
                spenders = {arrow[2], one.runner}
                above = call.parent
                while above is not None:
                    target = part_of(design, above.part)
                    spenders.add(target.name if target else above.part)
                    above = above.parent
                for name in spenders:
                    parts[name].spend(call, weight)
    return parts, arrows


async def _streams(
    store: Store,
    design: Design,
    samples: Sequence[Sample],
    opened: Opened,
    at: Seconds,
    window: Seconds,
    *,
    present: bool,
) -> _Streams:
    """Rates of topics and queues of handlers."""
    ends, cursors = await store.ends(), await store.cursors()
    by_topic: dict[str, list[Stream]] = defaultdict(list)
    for (topic, partition), span in sorted(ends.items()):
        by_topic[topic].append(Stream(topic, partition, *span))
    each = max(1, STREAMS_MAX // max(1, len(by_topic)))
    found = _Streams({}, {}, present)
    begun = {one.runner: one.since if one.begun is None else one.begun for one in samples}
    for topic, streams in by_topic.items():
        looked_at, handlers = streams[:each], [one for one in design.all(Handler) if one.topic == topic]
        share = len(looked_at) / len(streams)
        came, lag = 0.0, dict.fromkeys((one.name for one in handlers), 0.0)
        for stream in looked_at:
            until = stream.end if present else await offset_at(store, stream, at)
            came += until - await offset_at(store, stream, at - window, end=until)
            for handler in handlers if not present else ():
                lag[handler.name] += until - await offset_at(store, stream, begun[handler.name], end=until)
        found.rates[topic] = came / share / window
        for handler in handlers:
            found.queues[handler.name] = int(lag[handler.name] / share)
            if present:
                places = ((one, cursors.get((handler.name, topic, one.partition), 0)) for one in streams)
                behind = sum(max(0, one.end - max(one.first, cursor)) for one, cursor in places)
                found.queues[handler.name] = max(behind, opened.of(handler.name, State.QUEUED))
    return found


async def _errors(
    store: Store, design: Design, samples: Sequence[Sample], opened: Opened, at: Seconds
) -> dict[str, str]:
    """The last error of each runner that failed in the window, masked."""
    failing: dict[str, RunRecord] = {}
    for one in samples:
        for record in one.ended:
            if record.state is State.DEAD:
                failing.setdefault(one.runner, record)
    failing |= opened.failing
    found = {}
    for name, record in list(failing.items())[:ERRORS_MAX]:
        found[name] = run_line(design, record, at, await known_of(store, design, record)).error or ""
    return found


def _part(facts: _Facts, part: Part) -> PartFigures:
    """The figures of one part, by its kind."""
    if part.name in facts.samples:
        return _runner(facts, part, facts.samples[part.name])
    tally = facts.parts.get(part.name, Tally())
    rate: float | None = tally.rate
    queue: int | None = None
    match part:
        case Topic():
            rate = facts.streams.rates.get(part.name, 0.0)
            queue = max((facts.streams.queues[one.name] for one in _readers(facts, part.name)), default=None)
        case Person():
            queue = facts.asked[part.name]
        case Source():
            rate = _of_source(facts, part)
        case Endpoint() | Monitor():
            rate = None
    return PartFigures(
        part.name,
        kind_of(part),
        rate_per_second=rate,
        sampled=tally.count,
        p50_seconds=percentile(tally.took, 0.5),
        p99_seconds=percentile(tally.took, 0.99),
        queue=queue,
        queue_exact=facts.streams.exact or isinstance(part, Person),
        failed=tally.failed,
        error_share=tally.failed / tally.count if tally.count else None,
        failed_just_now=tally.failed > 0,
        usd_per_second=tally.usd_per_second,
        tokens_per_second=tally.tokens_per_second,
    )


def _readers(facts: _Facts, topic: str) -> list[Handler]:
    return [one for one in facts.design.all(Handler) if one.topic == topic and one.name in facts.streams.queues]


def _of_source(facts: _Facts, source: Source) -> float:
    """A source's events: those of its topic that no run published. Sources of one topic share them."""
    published = sum(
        tally.rate for (_, kind, target), tally in facts.arrows.items() if (kind, target) == ("publishes", source.topic)
    )
    beside = sum(one.topic == source.topic for one in facts.design.all(Source))
    return max(0.0, facts.streams.rates.get(source.topic, 0.0) - published) / beside


def _runner(facts: _Facts, part: Part, one: Sample) -> PartFigures:
    took = [run.ended - run.created for run in one.ended]
    failed = sum(run.state is State.DEAD for run in one.ended)
    p99, slo = percentile(took, 0.99), facts.design.slo
    spent = facts.parts.get(part.name, Tally())
    return PartFigures(
        part.name,
        kind_of(part),
        rate_per_second=one.rate(facts.at, facts.window),
        sampled=len(took),
        p50_seconds=percentile(took, 0.5),
        p99_seconds=p99,
        over_slo=None if p99 is None or slo is None else p99 > slo.p99,
        queue=facts.streams.queues.get(part.name),
        queue_exact=facts.streams.exact,
        in_flight=max(facts.opened.of(part.name, State.RUNNING), _under_way(one)),
        waiting=facts.opened.of(part.name, State.WAITING, State.PARKED),
        backoff=facts.opened.of(part.name, State.BACKOFF),
        failed=failed,
        error_share=failed / len(took) if took else None,
        failed_just_now=part.name in facts.errors,
        last_error=facts.errors.get(part.name),
        usd_per_second=spent.usd_per_second,
        tokens_per_second=spent.tokens_per_second,
    )


def _under_way(one: Sample) -> int:
    """Of the runs that were under way at the moment, those that do not wait to this day."""
    resting = (State.WAITING, State.PARKED, State.BACKOFF)
    return sum(run.state not in resting for run in one.under_way)


def _arrow(facts: _Facts, arrow: Arrow) -> ArrowFigures:
    """The figures of an arrow. Along `consumes` go the runs of its handler, and out of a source what nobody else published."""
    name = (arrow.source, arrow.kind, arrow.target)
    part = facts.design.by_name.get(arrow.source)
    if arrow.kind == "consumes" and arrow.source in facts.samples and part is not None:
        runner = _runner(facts, part, facts.samples[arrow.source])
        return ArrowFigures(
            *name, arrow.may, runner.rate_per_second, runner.sampled, runner.p50_seconds, runner.p99_seconds, runner.queue,
            runner.failed, runner.error_share, runner.failed_just_now,
        )  # fmt: skip
    if isinstance(part, Source):
        return ArrowFigures(*name, arrow.may, _of_source(facts, part))
    if isinstance(part, Endpoint | Monitor) and not (isinstance(part, Endpoint) and part.durable):
        return ArrowFigures(*name, arrow.may)
    tally = facts.arrows.get(name, Tally())
    return ArrowFigures(
        *name,
        arrow.may,
        tally.rate,
        tally.count,
        percentile(tally.took, 0.5),
        percentile(tally.took, 0.99),
        facts.asked[arrow.target] if arrow.kind == "asks" else None,
        tally.failed,
        tally.failed / tally.count if tally.count else None,
        tally.failed > 0,
        tally.usd_per_second,
        tally.tokens_per_second,
    )
