"""What was gathered of one part, call by call, until its profile is made."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field

from parti.planning.profile import Outcomes, PartKind, PartProfile, Service
from parti.planning.reading_tokens import Answered, tokens_of
from parti.planning.sampled import Sampled
from parti.planning.spans import Run, Span
from parti.ports.store import State
from parti.units import Seconds


@dataclass(slots=True)
class Gathered:
    """Samples and counts of one part."""

    name: str
    kind: PartKind
    times: dict[tuple[str, int], list[tuple[Seconds, Seconds]]] = field(default_factory=lambda: defaultdict(list))
    """For each variant and size of batch: when, and how many seconds."""
    waits: dict[tuple[str, int], list[tuple[Seconds, Seconds]]] = field(default_factory=lambda: defaultdict(list))
    answers: list[Answered] = field(default_factory=list)
    growths: list[float] = field(default_factory=list)
    """Of a language model: by how many tokens the prompt grew from turn to turn, in the mean of each agent's work."""
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    latencies: list[tuple[Seconds, Seconds]] = field(default_factory=list)
    batches: set[tuple[Seconds, Seconds, int]] = field(default_factory=set)
    since: Seconds = float("inf")
    until: Seconds = 0.0

    @property
    def measured(self) -> bool:
        """Whether there is a time of it."""
        return bool(self.times)

    def add(self, variant: str, batch: int, seconds: Seconds, waited: Seconds | None, at: Seconds) -> None:
        """One time of it, begun at `at`."""
        self.times[variant, batch].append((at, seconds))
        if waited is not None:
            self.waits[variant, batch].append((at, waited))
        self._reach(at)

    def add_call(self, span: Span, *, timed: bool = True) -> None:
        """One call of it. Calls that failed count, but their times are left out: they say nothing of one that answers.

        So are those of a call that is not to be `timed`.
        """
        self.counts["calls"] += 1
        self.counts[span.end] += 1
        self.counts["attempts"] += span.attempts
        self.counts["retried"] += span.attempts > 1
        self._reach(span.at)
        if span.end != "done":
            return
        answered = Answered.of(span) if self.kind == "llm" else None
        if answered is not None:
            self.answers.append(answered)
            if answered.cached:
                return
        if timed:
            self._add_time(span)

    def _add_time(self, span: Span) -> None:
        """Its time, once for each batch: all its calls were served from the same moment to the same moment."""
        if span.waited is not None:
            self.waits[span.variant, span.batch].append((span.at, span.waited))
        if span.batch > 1:
            batch = (round(span.served_from, 4), round(span.until, 4), span.batch)
            if batch in self.batches:
                return
            self.batches.add(batch)
        self.times[span.variant, span.batch].append((span.at, span.own))

    def count_run(self, run: Run) -> None:
        """What became of a run of it."""
        record, counts = run.record, self.counts
        self._reach(record.created)
        if not record.state.ended:
            counts["open"] += 1
            return
        counts["calls"] += 1
        counts["attempts"] += record.attempt
        counts["retried"] += record.attempt > 1
        counts["waited"] += run.waited
        counts["interrupted"] += run.why == "interrupted"
        if record.state is State.DONE:
            self.latencies.append((record.created, record.ended - record.created))
        late = record.state is State.DEAD and json.loads(record.error or b"{}").get("code") == "P303"
        counts["timed out" if late else _END[record.state]] += 1

    def _reach(self, at: Seconds) -> None:
        self.since, self.until = min(self.since, at), max(self.until, at)

    def profile(self) -> PartProfile:
        """All that was gathered."""
        counts = self.counts
        growth = sum(self.growths) / len(self.growths) if self.growths else 0.0
        outcomes = Outcomes(
            counts["calls"], counts["done"], counts["failed"], counts["timed out"], counts["cancelled"], counts["retried"],
            counts["attempts"], counts["waited"], counts["interrupted"], counts["open"],
        )  # fmt: skip
        return PartProfile(
            self.name, self.kind, tuple(self._service(*key) for key in sorted(self.times)), outcomes,
            self.since, self.until, tokens_of(self.answers, growth),
            Sampled.of(in_time(self.latencies)) if self.latencies else None,
        )  # fmt: skip

    def _service(self, variant: str, batch: int) -> Service:
        waits = in_time(self.waits[variant, batch])
        return Service(
            variant, batch, Sampled.of(in_time(self.times[variant, batch])), Sampled.of(waits) if waits else None
        )


def in_time(samples: list[tuple[Seconds, Seconds]]) -> list[Seconds]:
    """The samples in the order in which they were taken."""
    return [seconds for _, seconds in sorted(samples)]


_END = {State.DONE: "done", State.DEAD: "failed", State.CANCELLED: "cancelled"}


def growth_of(work: Span) -> tuple[str, float] | None:
    """The model that an agent asked in turns, and by how many tokens its prompt grew from one to the next; None with one turn."""
    turns = [(one.part, Answered.of(one)) for one in sorted(work.inside, key=lambda one: one.at) if one.kind == "llm"]
    sizes = [answer.prompt for _, answer in turns if answer is not None and not answer.cached]
    return (turns[0][0], (sizes[-1] - sizes[0]) / (len(sizes) - 1)) if len(sizes) > 1 else None
