"""Measuring under controlled load: each subject alone and in turn with all others, warmed, by variant and size of batch.

One call is under way at a time, so that no time in line is mistaken for service. Times are those that the engine journals,
as in traffic; calibrations before, between and after, and the machine's counters, tell whether something else was going on.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.engine.loop import Engine
from parti.errors import PartiError, UsageError
from parti.planning.contention import contention
from parti.planning.gathering import Gathering
from parti.planning.grouped import Timed, times_of_batches
from parti.planning.profile import PartProfile, Profile, Service, Unmeasured
from parti.planning.sampled import Sampled
from parti.planning.spans import Span
from parti.planning.subjects import Bench, Subject
from parti.planning.traffic import read_runs
from parti.ports.machine import Calibration, Machine
from parti.ports.operations import run_of_call
from parti.units import Seconds

WARM: Final = 5
"""Calls before the first that counts: caches fill, files are opened."""

CROWD: Final = 32
"""Runs that are begun at once to learn what they share; and so many times in turn."""

CROWDS: Final = 8

LEAST: Final = 5
"""Calls that are made at least, however long they take."""

Progress = Callable[[int, int], None]
"""Is told how many calls were made, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is measured: `samples` calls of each subject alone and as many in turn; each at most for `seconds`."""

    samples: int = 100
    seconds: Seconds = 10.0


@dataclass(slots=True)
class _Measuring:
    engine: Engine
    machine: Machine
    bench: Bench
    amount: Amount
    progress: Progress
    calibrations: list[Calibration] = field(default_factory=list)
    cpu: dict[str, list[Seconds]] = field(default_factory=dict)
    loop: dict[str, list[Seconds]] = field(default_factory=dict)
    commits: dict[str, list[int]] = field(default_factory=dict)
    """For each call alone, how many commits were begun meanwhile."""
    shared: dict[str, Seconds] = field(default_factory=dict)
    answered: dict[str, Seconds] = field(default_factory=dict)
    """When the caller of each run was answered."""
    failures: dict[str, str] = field(default_factory=dict)
    succeeded: Counter[str] = field(default_factory=Counter)
    batches: dict[str, list[Timed]] = field(default_factory=dict)
    alone: list[tuple[Subject, str]] = field(default_factory=list)
    """Each call that counts: of whom, and which run it was."""
    together: list[tuple[Subject, str]] = field(default_factory=list)
    made: int = 0

    async def all(self) -> None:
        for subject in self.bench.subjects:
            self.calibrations.append(self.machine.calibrate())
            await self._alone(subject)
            if isinstance(subject.part, Handler | Endpoint) and self.succeeded[subject.name]:
                await self._crowded(subject)
            self.batches[subject.name] = await times_of_batches(self.engine, self.machine, subject, self.amount.samples)
        self.calibrations.append(self.machine.calibrate())
        await self._together()
        self.calibrations.append(self.machine.calibrate())

    async def _alone(self, subject: Subject) -> None:
        for number in range(WARM):
            await self._call(subject, f"warm{number}", number)
        subject.cpu.clear()
        until = self.engine.clock.now() + self.amount.seconds
        for number in range(self.amount.samples):
            if number >= LEAST and self.engine.clock.now() > until:
                break
            if number >= LEAST and not self.succeeded[subject.name]:
                break
            before, loop, commits = self.machine.cpu(), self.machine.thread_cpu(), self.engine.commits.number
            id = await self._call(subject, f"alone{number}", number)
            self.cpu.setdefault(subject.name, []).append(self.machine.cpu() - before)
            self.loop.setdefault(subject.name, []).append(self.machine.thread_cpu() - loop)
            self.commits.setdefault(subject.name, []).append(self.engine.commits.number - commits)
            self.alone.append((subject, id))

    async def _crowded(self, subject: Subject) -> None:
        """Many runs at once share commits, and turns of the event loop: two points of a line tell what each of both takes."""
        until, calls = self.engine.clock.now() + self.amount.seconds, 0
        loop, commits = self.machine.thread_cpu(), self.engine.commits.number
        for crowd in range(CROWDS):
            numbers = range(crowd * CROWD, (crowd + 1) * CROWD)
            await asyncio.gather(*(self._one(subject, f"crowd{number}", number) for number in numbers))
            calls += CROWD
            if self.engine.clock.now() > until:
                break
        together = (self.machine.thread_cpu() - loop) / calls, (self.engine.commits.number - commits) / calls
        alone = _mean(self.loop[subject.name]) or 0.0, _mean(self.commits[subject.name]) or 0.0
        self.shared[subject.name] = without_commits(alone, together)

    async def _together(self) -> None:
        """Subjects in turn, each as often as alone; who comes first moves on from round to round."""
        rounds = {subject.name: sum(one is subject for one, _ in self.alone) for subject in self.bench.subjects}
        subjects = [subject for subject in self.bench.subjects if self.succeeded[subject.name]]
        until = self.engine.clock.now() + self.amount.seconds * len(subjects)
        for number in range(max(rounds.values(), default=0)):
            for subject in (subjects[(at + number) % len(subjects)] for at in range(len(subjects))):
                if number < rounds[subject.name] and (number < LEAST or self.engine.clock.now() <= until):
                    self.together.append((subject, await self._call(subject, f"together{number}", number)))

    async def _call(self, subject: Subject, key: str, number: int) -> str:
        """One call that counts; its run."""
        await self._one(subject, key, number)
        self.made += 1
        self.progress(self.made, len(self.bench.subjects) * (2 * self.amount.samples + WARM))
        return run_of_call(subject.endpoint, key, key)

    async def _one(self, subject: Subject, key: str, number: int) -> None:
        """One call. Each has a tenant of its own, so that rows and order of keys are not shared."""
        arguments = subject.arguments[number % len(subject.arguments)]
        try:
            await self.engine.call(subject.endpoint, arguments, idempotency_key=key, tenant=key)
            self.answered[run_of_call(subject.endpoint, key, key)] = self.engine.clock.now()
            self.succeeded[subject.name] += 1
        except PartiError as failure:
            self.failures.setdefault(subject.name, f"{failure.code} {failure.what}")


async def measure(
    engine: Engine,
    design: Design,
    bench: Bench,
    machine: Machine,
    amount: Amount,
    *,
    progress: Progress = lambda a, b: None,
) -> Profile:
    """The profile of `design`, by calls of the bench's subjects on `engine`, which runs the bench's design and is begun.

    Raises P829 where there is nothing to measure.
    """
    if not bench.subjects:
        why = "; ".join(f"`{one.part}`: {one.why}" for one in bench.unmeasured) or "it declares no part that takes time"
        raise UsageError("P829", f"nothing of {design.name} can be measured: {why}", fix="give --inputs PART=FILE")
    begin, before = engine.clock.now(), machine.usage()
    measuring = _Measuring(engine, machine, bench, amount, progress)
    await measuring.all()
    after = machine.usage()
    alone = await _gathered(engine, design, bench, measuring.alone)
    together = await _gathered(engine, design, bench, measuring.together)
    parts = tuple(_parts(measuring, alone, together))
    pairs = {
        part.part: (one.alone, one.together)
        for part in parts
        for one in part.services[:1]
        if one.alone and one.together
    }
    scores = [one.score for one in measuring.calibrations]
    fingerprint = machine.fingerprint(sorted(scores)[len(scores) // 2])
    found = contention(measuring.calibrations, before, after, fingerprint.cores, pairs)
    now = engine.clock.now()
    measured = {part.part for part in parts if part.services}
    failed = tuple(
        Unmeasured(name, f"its calls failed: {why}") for name, why in measuring.failures.items() if name not in measured
    )
    left_out = tuple(one for one in bench.unmeasured if one.part not in measured)
    return Profile(
        system=design.name, design=design.digest, source="load", at=now, since=begin, until=now, machine=fingerprint,
        parts=tuple(part for part in parts if part.services or part.outcomes.calls), graphs=together.graphs() or alone.graphs(),
        unmeasured=(*left_out, *failed), contention=found, covers=measuring.made,
        commit=await _commit(engine, measuring),
    )  # fmt: skip


async def _commit(engine: Engine, measuring: _Measuring) -> Sampled | None:
    """How long callers waited for the disk, once their run had ended; None where no call went well."""
    waits = []
    for _, id in measuring.alone:
        record, answered = await engine.store.run(id), measuring.answered.get(id)
        if record is not None and answered is not None and record.ended:
            waits.append(max(0.0, answered - record.ended))
    return Sampled.of(waits) if waits else None


async def _gathered(engine: Engine, design: Design, bench: Bench, calls: Sequence[tuple[Subject, str]]) -> Gathering:
    """What the runs of these calls say. A subject is timed where it is called itself, and other parts wherever they are."""
    gathering = Gathering(design)
    subjects = {subject.name for subject in bench.subjects}
    for subject, id in calls:
        record = await engine.store.run(id)
        if record is None:
            continue
        async for run in read_runs(design, engine.store, [record._replace(code=design.digest)]):
            if isinstance(subject.part, Handler | Endpoint):
                run.record = run.record._replace(part=subject.name)
                gathering.add(run, lambda span: span.part not in subjects)
            else:
                own = [span for span in run.calls if span.part == subject.name]
                gathering.add_calls(run, partial(_counts, own, subjects))
    return gathering


def _counts(own: Sequence[Span], subjects: Set[str], span: Span) -> bool:
    """Whether a call's time counts: it is the subject's own, or of a part that is no subject."""
    return span in own or span.part not in subjects


def _parts(measuring: _Measuring, alone: Gathering, together: Gathering) -> Iterator[PartProfile]:
    names = list(dict.fromkeys([*(one.name for one in measuring.bench.subjects), *alone.parts, *together.parts]))
    for name in (name for name in names if name not in measuring.bench.replaced):
        found = [gathering.parts[name].profile() for gathering in (alone, together) if name in gathering.parts]
        if not found:
            continue
        first = found[0]
        services = [*_services(found, _mean(measuring.cpu.get(name)) if _is_runner(first) else None)]
        if _is_runner(first):
            loop, shared = _mean(measuring.loop.get(name)), measuring.shared.get(name)
            services = [replace(one, loop=loop, loop_shared=shared) for one in services]
        for batched in measuring.batches.get(name, ()):
            services.append(batched.service())
        subject = next((one for one in measuring.bench.subjects if one.name == name), None)
        if subject is not None and subject.cpu and services:
            services[0] = replace(services[0], cpu=_mean(subject.cpu))
        yield replace(first, services=tuple(services), until=found[-1].until)


def without_commits(alone: tuple[Seconds, float], together: tuple[Seconds, float]) -> Seconds:
    """What a run would have the event loop do without commits: where the line through both points, each the loop's CPU seconds and
    the commits of a run, meets zero. At least 0, and at most what it does alone, as where both have as many commits.
    """
    fewer = alone[1] - together[1]
    each = (alone[0] - together[0]) / fewer if fewer > 0 else 0.0
    return min(alone[0], max(0.0, alone[0] - max(0.0, each) * alone[1]))


def _is_runner(part: PartProfile) -> bool:
    return part.kind in ("handler", "endpoint")


def _services(found: Sequence[PartProfile], cpu: Seconds | None) -> Iterator[Service]:
    """Alone and together by variant and size of batch; what counts is both, or, where they differ, together."""
    keys = list(dict.fromkeys((one.variant, one.batch) for part in found for one in part.services))
    for variant, batch in keys:
        services = [service for part in found if (service := part.service(variant, batch)) is not None]
        alone, together = services[0].seconds, services[-1].seconds
        chosen = together if alone.differs_from(together) else pooled(alone, together)
        if len(services) == 1:
            yield replace(services[0], cpu=cpu)
        else:
            yield Service(variant, batch, chosen, services[-1].waited, cpu, alone, together)


def pooled(one: Sampled, other: Sampled) -> Sampled:
    """Both together, weighed by their counts; the distribution is that of their kept quantiles."""
    if one is other:
        return one
    count = one.count + other.count
    mean = (one.mean * one.count + other.mean * other.count) / count
    half = ((one.high - one.mean) * one.count / count) ** 2 + ((other.high - other.mean) * other.count / count) ** 2
    quantiles = Sampled.of([*one.quantiles, *other.quantiles]).quantiles
    return Sampled(count, mean, max(0.0, mean - half**0.5), mean + half**0.5, quantiles)


def _mean(values: Sequence[Seconds] | None) -> Seconds | None:
    return sum(values) / len(values) if values else None
