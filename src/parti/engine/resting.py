"""Resting: runs that are open for long are put on record, those that only wait leave memory, and are woken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from parti.design.person import Person
from parti.engine.activation import Activation, Unwinding
from parti.engine.jobs import Job
from parti.engine.questions import Questions
from parti.engine.runs import Runs
from parti.engine.services import Services
from parti.ports.store import QuestionRecord, RunRecord, State
from parti.units import Seconds

LINGER: Final[Seconds] = 0.1
"""A run still open after this long is put on record; one that only waits for people or timers leaves memory."""

log = logging.getLogger("parti")
Spawn = Callable[[Coroutine[Any, Any, Any]], object]


class Resting:
    """What happens to runs while nothing happens in them. `stand_ins` lets declared stand-ins answer for people."""

    def __init__(self, services: Services, spawn: Spawn, *, stand_ins: bool) -> None:
        self.services = services
        self.runs: Runs
        self.stand_ins = stand_ins
        self.answering = 0
        """Stand-ins that have not answered yet."""
        self.questions = Questions(services, self._resting, self._told)
        self._spawn = spawn
        self._watched: dict[str, Job] = {}
        self._open = asyncio.Event()

    def watch(self, job: Job) -> None:
        """A run came, or began: it is looked at until it ends or rests."""
        self._watched[job.record.id] = job
        if not self._open.is_set():
            self._open.set()

    async def run(self) -> None:
        """Look at the runs that are watched, again and again, until cancelled."""
        while True:
            await self._open.wait()
            self._open.clear()
            await self.services.clock.wait(LINGER)
            before = self.services.clock.now() - LINGER
            for job in list(self._watched.values()):
                if job.since <= before:
                    self._record(job, before)
                if job.record.state.ended or (job.stored and job.activation is None):
                    del self._watched[job.record.id]
            if self._watched:
                self._open.set()

    def _record(self, job: Job, before: Seconds) -> None:
        run = job.activation
        if job.record.state.ended:
            return
        if run is not None:
            if run.waiting() and run.waiting_since <= before:
                if not job.stored:  # on record before those behind it in line, which follow it after a crash as well
                    run.flush(always=True)
                    self.runs.on_record(job)
                self.suspend(job)
            elif run.entries or not job.stored:
                run.flush(always=True)
                self.runs.on_record(job)
        elif not job.stored:
            self.services.commits.batch.runs[job.record.id] = job.record
            self.services.commits.touch()
            self.runs.on_record(job)

    def suspend(self, job: Job) -> None:
        """Take a run that only waits out of memory."""
        run = job.activation
        assert run is not None
        job.record = run.record = job.record._replace(wake=run.next_wake())
        job.asks = any(wait.question for wait in run.waits.values())
        run.unwind(Unwinding.SUSPEND)

    # Waits in memory

    def waits(self, run: Activation) -> None:
        """A branch began a durable wait: set its timer."""
        name, wait = next(reversed(run.waits.items()))
        if wait.until:
            timer = self.runs.timers.at(wait.until, partial(self._due, run.record.id, name))
            wait.future.add_done_callback(lambda _: timer.cancel())
        self.runs.changed()

    def _due(self, id: str, name: str) -> None:
        job = self.runs.jobs.get(id)
        wait = job.activation.waits.get(name) if job and job.activation else None
        if wait is None or wait.future.done():
            return
        if wait.question:
            self._spawn(self.questions.expire(wait.question))
        else:
            wait.future.set_result(None)

    # Questions

    def asked(self, question: QuestionRecord) -> None:
        """A question was put: its declared stand-in will answer, where stand-ins are switched on."""
        self.questions.put(question)
        person = self.services.design.by_name.get(question.who)
        if self.stand_ins and isinstance(person, Person) and person.stand_in:
            self.answering += 1
            answer = partial(self._stand_in, person, question.id, self.runs.jobs[question.run].record.key)
            self.runs.timers.at(question.asked + person.after, lambda: self._begin(answer))

    def _begin(self, answer: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._spawn(answer())

    async def _stand_in(self, person: Person, id: str, key: str) -> None:
        try:
            await self.questions.answer_for(person, id, key)
        except Exception as wrong:  # people can still answer
            log.warning("the stand-in for %s did not answer %s: %s", person.name, id, wrong)
        finally:
            self.answering -= 1
            self.runs.changed()

    def _resting(self, run: str) -> RunRecord | None:
        """The record of a run that waits outside memory."""
        job = self.runs.jobs.get(run)
        at_rest = job is not None and job.activation is None and job.record.state in (State.WAITING, State.PARKED)
        return job.record if job is not None and at_rest else None

    def _told(self, run: str, id: str, facts: dict[str, Any]) -> None:
        """A question was settled: wake the branch, or the run."""
        job = self.runs.jobs.get(run)
        if job is None:
            return
        if job.activation:
            job.settled[id] = facts
        wait = job.activation.waits.get(id) if job.activation else None
        if wait and not wait.future.done():
            wait.future.set_result(facts)
        else:
            self.runs.woken(job)
