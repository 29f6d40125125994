"""Spans: what one run did, read from its journal as a tree of calls with times, waits told apart from service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from parti.design.agent import Agent
from parti.design.graph import Design
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.step import Step
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.journal.entries import Entry, Kind
from parti.planning.profile import PartKind
from parti.ports.store import RunRecord, State
from parti.units import Seconds

EPSILON: Final[Seconds] = 2e-6
"""Moments in the journal are rounded to a microsecond."""

NEVER_MADE: Final = "P312"
"""A call that was refused for its budget took nothing."""

SLEEP: Final = "sleep"
"""The name under which timers stand in profiles."""

WAITS: Final = frozenset({"person", "timer"})

End = Literal["done", "failed", "timed out"]
Why = Literal["", "open", "interrupted", "retried", "not done"]
"""Why the times of a run say nothing of its part."""


@dataclass(slots=True, eq=False)
class Span:
    """One call: from `at` to `until`, of which it first `waited` in line (None: nobody knows); served in a batch of `batch`.

    `branch` is that of the caller, None where the journal does not tell (writes).
    """

    part: str
    kind: PartKind
    branch: str | None
    at: Seconds
    until: Seconds
    end: End
    waited: Seconds | None = None
    batch: int = 1
    variant: str = ""
    attempts: int = 1
    answer: Any = None
    before: Seconds = 0.0
    """How long before `at` the first of its attempts began; each but the last failed."""
    inside: list[Span] = field(default_factory=list)

    @property
    def served_from(self) -> Seconds:
        """When it had waited in line."""
        return min(self.until, self.at + (self.waited or 0.0))

    @property
    def own(self) -> Seconds:
        """Its own seconds: without its time in line, and without those of what it called."""
        return max(0.0, self.until - self.served_from - covered(flat(self.inside), self.served_from, self.until))


@dataclass(slots=True, eq=False)
class Run:
    """A run and what its function called, waits included. `own` is None where its times say nothing, for the reason `why`."""

    record: RunRecord
    calls: list[Span]
    published: list[str]
    own: Seconds | None
    why: Why

    @property
    def waited(self) -> bool:
        """Whether it waited for people or timers."""
        return any(span.kind in WAITS for span in flat(self.calls))


def flat(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans and all inside of them."""
    for span in spans:
        yield span
        yield from flat(span.inside)


def covered(spans: Iterable[Span], begin: Seconds, end: Seconds) -> Seconds:
    """For how long of the time from `begin` to `end` at least one of the spans was under way."""
    total, reached = 0.0, begin
    for span in sorted(spans, key=lambda one: one.at - one.before):
        low, high = max(span.at - span.before, reached), min(span.until, end)
        if high > low:
            total += high - low
            reached = high
    return total


def run_of(design: Design, record: RunRecord, entries: Sequence[Entry]) -> Run:
    """The tree of one run. Pure; O(n log n) in its entries, but for writes inside of many agents at once."""
    spans, waits = _spans(design, entries), _waits(entries)
    roots = _nest(design, [*spans, *waits])
    published = [entry.part for entry in entries if entry.kind == Kind.PUBLISH]
    own, why = _own(record, entries, spans, waited=bool(waits))
    return Run(record, roots, published, own, why)


def kind_in(design: Design, name: str) -> PartKind | None:
    """What kind of part a step's entry is of; None for what is no call of a part (rows, memories, the time)."""
    match design.by_name.get(name):
        case Step():
            return "step"
        case Tool() | ToolServer():
            return "tool"
        case Model():
            return "model"
        case Llm():
            return "llm"
        case Agent():
            return "agent"
    servers = (server.name for server in design.all(ToolServer))
    return "tool" if any(name.startswith(f"{server}.") for server in servers) else None


def facts_of(entry: Entry) -> dict[str, Any]:
    """What an entry tells besides: how long it `waited`, in a `batch` of how many; empty in journals that do not tell."""
    found: dict[str, Any] = {}
    for more in entry[9:]:
        if isinstance(more, dict):
            found.update(more)
    return found


def _spans(design: Design, entries: Sequence[Entry]) -> list[Span]:
    """The calls, in the order in which they were journaled: each after all that is inside of it."""
    pins = {entry.part: f"v{entry.answer}" for entry in entries if entry.kind == Kind.PIN}
    starts: dict[tuple[str, str], list[Seconds]] = defaultdict(list)
    found: list[Span] = []
    for entry in entries:
        kind = kind_in(design, entry.part)
        if kind is None:
            continue
        if entry.kind == Kind.INTENT:
            starts[entry.part, entry.digest].append(entry.at)
        elif entry.kind in (Kind.STEP, Kind.FAIL, Kind.DONE) and not _was_refused(entry):
            span = _span(design, entry, kind, pins.get(entry.part, ""))
            begun = starts.pop((entry.part, entry.digest), None)
            if begun:
                span.attempts, span.before = len(begun), max(0.0, span.at - begun[0])
            found.append(span)
    return found


def _was_refused(entry: Entry) -> bool:
    return entry.kind == Kind.FAIL and isinstance(entry.answer, dict) and entry.answer.get("code") == NEVER_MADE


def _stands_in_line(design: Design, name: str) -> bool:
    """Whether calls of a part wait in line, or for others: then a journal that tells no wait tells that there was none."""
    part = design.by_name.get(name)
    return isinstance(part, Step | Tool | Model) and (part.concurrency is not None or part.batch is not None)


def _span(design: Design, entry: Entry, kind: PartKind, variant: str) -> Span:
    """A call that stood in line is journaled with when its service began."""
    facts = facts_of(entry)
    waited = facts.get("waited", 0.0 if _stands_in_line(design, entry.part) else None)
    batch = max(1, int(facts.get("batch", 1)))
    begin, branch = entry.at - (waited or 0.0), None if entry.kind == Kind.DONE else entry.branch
    until = entry.at + entry.took
    span = Span(entry.part, kind, branch, begin, until, _end(entry), waited, batch, variant, answer=entry.answer)
    span.attempts, span.before = (
        int(facts.get("attempts", 1)),
        max(0.0, float(facts.get("before", 0.0)) - (waited or 0.0)),
    )
    if kind == "llm" and entry.kind == Kind.STEP and isinstance(entry.answer, dict):
        span.variant = str(entry.answer.get("model", ""))
        if waited is None:
            span.waited = max(0.0, entry.took - float(entry.answer.get("took", entry.took)))
    return span


def _end(entry: Entry) -> End:
    if entry.kind != Kind.FAIL:
        return "done"
    return "timed out" if isinstance(entry.answer, dict) and entry.answer.get("code") == "P303" else "failed"


def _nest(design: Design, spans: list[Span]) -> list[Span]:
    """Put each call inside of the one that made it; those that the run's function made are returned."""
    by_branch: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        if span.branch is not None:
            by_branch[span.branch].append(span)
    roots: list[Span] = []
    for span in spans:
        caller = _caller(span, by_branch) if span.branch is not None else _writer(design, span, spans)
        (caller.inside if caller else roots).append(span)
    return roots


def _caller(span: Span, by_branch: dict[str, list[Span]]) -> Span | None:
    """The call that it is inside of: a branch makes one call at a time, so it is the first there that ends after it."""
    assert span.branch is not None
    outside, inner, _ = span.branch.rpartition("/")
    if not inner:
        return None
    later = [one for one in by_branch[outside] if one.until >= span.until - EPSILON]
    found = min(later, key=lambda one: one.until, default=None)
    return found


def _writer(design: Design, write: Span, spans: list[Span]) -> Span | None:
    """The shortest call around a write whose part may make it: a write is journaled by its key, not by its branch."""
    around = [
        span
        for span in spans
        if span is not write
        and span.at <= write.at + EPSILON
        and span.until >= write.until - EPSILON
        and any(arrow.target == write.part for arrow in design.arrows_from(span.part, "calls"))
    ]
    return min(around, key=lambda one: one.until - one.at, default=None)


def _waits(entries: Sequence[Entry]) -> list[Span]:
    """Durable waits: questions to people until they were settled, and sleeps."""
    answers = {entry.digest: entry for entry in entries if entry.kind == Kind.ANSWER}
    found: list[Span] = []
    for entry in entries:
        if entry.kind == Kind.SLEEP:
            found.append(Span(SLEEP, "timer", entry.branch, entry.at, max(entry.at, float(entry.answer)), "done"))
        if entry.kind == Kind.ASK and entry.digest in answers:
            answer = answers[entry.digest]
            end: End = "done" if isinstance(answer.answer, dict) and "value" in answer.answer else "timed out"
            found.append(Span(entry.part, "person", entry.branch, entry.at, max(entry.at, answer.at), end))
    return found


def _own(record: RunRecord, entries: Sequence[Entry], calls: list[Span], *, waited: bool) -> tuple[Seconds | None, Why]:
    """The run's own seconds: those at work without those of all calls; None, and why, where they cannot be told.

    A run that waits is out of memory meanwhile, which does not count as work.
    """
    if not record.state.ended:
        return None, "open"
    if any(entry.kind in (Kind.ATTEMPT, Kind.RETRY) for entry in entries) and record.state is State.DONE:
        return None, "retried"
    if record.state is not State.DONE:
        return None, "not done"
    own = record.busy - covered(calls, record.started, record.ended)
    if own < -0.001 or (not waited and _was_cut(record, calls)):
        return None, "interrupted"
    return max(0.0, own), ""


def _was_cut(record: RunRecord, calls: list[Span]) -> bool:
    """Whether a run that waited for nothing made a call before it was at work, as its busy seconds count: its process ended since.

    Without such a call the function was called again from its first line, and its last time at work is that of all of it. Between
    its begin and its first line lies a turn of the event loop, which may take long under load: that is no sign.
    """
    return any(span.at < record.ended - record.busy - 0.001 for span in calls)


def stages(calls: Sequence[Span]) -> list[tuple[Span, ...]]:
    """What was called at once, one group after the other.

    Calls that overlap in time are one cluster. Within it those of one branch follow each other: the first calls of all branches
    are one group, their second ones the next. That is exact for equal branches, and a little slow for unequal ones.
    """
    found: list[tuple[Span, ...]] = []
    cluster: list[Span] = []
    until = 0.0
    for call in sorted(calls, key=lambda one: (one.at, one.until)):
        if cluster and call.at >= until - EPSILON:
            found.extend(_layers(cluster))
            cluster = []
        cluster.append(call)
        until = max(until, call.until) if len(cluster) > 1 else call.until
    return [*found, *_layers(cluster)]


def _layers(cluster: list[Span]) -> list[tuple[Span, ...]]:
    layers: list[list[Span]] = []
    depth: dict[int, int] = {}
    for call in cluster:
        before = [
            depth[id(other)]
            for other in cluster
            if id(other) in depth
            and other.until <= call.at + EPSILON
            and (other.branch == call.branch or None in (other.branch, call.branch))
        ]
        at = 1 + max(before, default=-1)
        depth[id(call)] = at
        if at == len(layers):
            layers.append([])
        layers[at].append(call)
    return [tuple(layer) for layer in layers]
