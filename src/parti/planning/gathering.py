"""What runs say of all parts together, run by run, until a profile is made of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.planning.calls import CallGraph, Node, Published, added, chain
from parti.planning.gathered import Gathered, growth_of
from parti.planning.profile import PartKind
from parti.planning.spans import Run, Span, covered, flat, kind_in, stages
from parti.units import Seconds


@dataclass(slots=True)
class Gathering:
    """What the runs so far say."""

    design: Design
    parts: dict[str, Gathered] = field(default_factory=dict)
    pairs: dict[str, Counter[tuple[Node, Node]]] = field(default_factory=lambda: defaultdict(Counter))
    callers: Counter[str] = field(default_factory=Counter)
    published: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    covers: int = 0
    other_code: int = 0
    since: Seconds = float("inf")
    until: Seconds = 0.0
    work: list[Span] = field(default_factory=list)
    """When each run that was not interrupted was at work."""

    def add(self, run: Run, timed: Callable[[Span], bool] = lambda span: True) -> None:
        """One run of a handler, endpoint or schedule. The times of calls that are not `timed` are left out."""
        record = run.record
        self.other_code += record.code != self.design.digest
        part = self.part(record.part, kind_of_runner(self.design, record.part))
        part.count_run(run)
        if run.own is not None:
            self.work.append(Span(record.part, "handler", "", record.ended - record.busy, record.ended, "done"))
            part.add("", 1, run.own, max(0.0, record.started - record.created), record.started)
            self._follow(record.part, run.calls)
            self.published[record.part].update(run.published)
        self.add_calls(run, timed)

    def add_calls(self, run: Run, timed: Callable[[Span], bool] = lambda span: True) -> None:
        """The calls of one run, and nothing of itself."""
        record = run.record
        self.covers += 1
        self.since, self.until = min(self.since, record.created), max(self.until, record.ended or record.created)
        if run.why in ("open", "interrupted"):
            return
        for span in flat(run.calls):
            self.part(span.part, span.kind).add_call(span, timed=timed(span))
            if span.kind == "agent" or self.design.arrows_from(span.part, "calls"):
                self._follow(span.part, span.inside)
                grown = growth_of(span)
                if grown is not None:
                    self.part(grown[0], "llm").growths.append(max(0.0, grown[1]))

    def _follow(self, caller: str, calls: list[Span]) -> None:
        self.callers[caller] += 1
        groups = [tuple(span.part for span in stage) for stage in stages(calls)]
        self.pairs[caller].update(chain(groups))

    def part(self, name: str, kind: PartKind) -> Gathered:
        """What was gathered of a part so far."""
        if name not in self.parts:
            self.parts[name] = Gathered(name, kind)
        return self.parts[name]

    @property
    def at_once(self) -> float:
        """How many runs were at work at once in the mean, while any was; 1 where none was."""
        together = covered(self.work, 0.0, float("inf"))
        return sum(one.until - one.at for one in self.work) / together if together else 1.0

    def graphs(self) -> tuple[CallGraph, ...]:
        """The call graph of each caller."""
        return tuple(self._graph(caller) for caller in self.callers)

    def _graph(self, caller: str) -> CallGraph:
        published = tuple(
            Published(topic, count, handlers_of(self.design, topic))
            for topic, count in sorted(self.published[caller].items())
        )
        return CallGraph(caller, self.callers[caller], added(self.pairs[caller].items()), published)


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
