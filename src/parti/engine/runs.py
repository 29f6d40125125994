"""Runs: each is begun when it has its turn, called, and concluded as the state machine says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.engine import gates, tainting
from parti.engine.activation import Activation, Unwinding, wind_down
from parti.engine.calling import OutOfTime, call
from parti.engine.context import RunContext, new_event
from parti.engine.doubts import instead_of_ending
from parti.engine.jobs import FINAL, Job, cause_of, dead_letter, error_json, retry_of
from parti.engine.lanes import Lanes
from parti.engine.limits import account_of, in_doubt, out_of_seconds, seconds_left
from parti.engine.machine import (
    Begun,
    Cancelled,
    Doubted,
    Duty,
    HandedBack,
    Happening,
    Raised,
    Returned,
    Suspended,
    Woken,
    advance,
    tries,
)  # fmt: skip
from parti.engine.meter import Meter
from parti.engine.recorded import read_recorded
from parti.engine.rows import event_value
from parti.engine.services import Services
from parti.engine.subscription import Subscription
from parti.engine.timers import Timers
from parti.errors import PartiError, RunError, StoreError
from parti.journal.entries import Kind
from parti.ports.context import CURRENT
from parti.ports.store import Event, Receipt, RunRecord, State
from parti.units import Seconds


@dataclass(slots=True, kw_only=True)
class Runs:
    """All runs that have not ended. `begun`, `changed` and `over` are called when one comes or begins, when any moves, when one ends."""

    services: Services
    timers: Timers
    is_settling: Callable[[str], bool]
    begun: Callable[[Job], None]
    over: Callable[[str], None]
    changed: Callable[[], None]
    failed: Callable[[BaseException], None]
    jobs: dict[str, Job] = field(default_factory=dict)
    lanes: Lanes[Job] = field(default_factory=Lanes)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)
    stopping: bool = False
    working: bool = True
    """Whether runs are begun; if not, they stand in line until `begin`."""

    def begin(self) -> None:
        """Let every run that is first in its line have its turn."""
        self.working = True
        for job in list(self.jobs.values()):
            if job.lane is None or self.lanes.is_first(job.lane, job):
                self._has_turn(job)

    def enter(self, job: Job) -> None:
        """Put a run in line; it begins when it has its turn and there is room."""
        self.jobs[job.record.id] = job
        self.begun(job)
        if job.lane is None or self.lanes.enter(job.lane, job):
            self._has_turn(job)
        elif self.lanes.first(job.lane).aside:
            self._count(job, aside=True)

    def _has_turn(self, job: Job) -> None:
        if not self.working:
            return
        if job.record.state is State.QUEUED:
            subscription = self.subscription_of(job)
            if subscription is None:
                if not self.stopping:
                    self._begin(job)
            else:
                subscription.runnable.append(job)
                self.pump(subscription)
        elif job.record.state in (State.WAITING, State.BACKOFF) and job.record.wake:
            job.timer = self.timers.at(job.record.wake, partial(self.woken, job))

    def pump(self, subscription: Subscription) -> None:
        limit = subscription.handler.concurrency
        while (
            subscription.runnable and subscription.active < limit and self.services.commits.room and not self.stopping
        ):
            subscription.active += 1
            self._begin(subscription.runnable.popleft())

    def _begin(self, job: Job) -> None:
        job.settled = {}
        job.record, duty = advance(job.record, Begun(self.services.clock.now()))
        assert duty is Duty.WORK
        job.activation = Activation(self.services, job.runner, job.record, (), None, job.settled)
        job.activation.journaled = job.stored
        job.activation.tell = job.tell
        job.activation.task = asyncio.Task(self._drive(job), context=Context())
        if job.stored:
            self.begun(job)

    async def _drive(self, job: Job) -> None:
        happening: Happening | None = None
        while happening is None:
            try:
                happening = await self._once(job)
                if happening is not None:
                    self._conclude(job, happening)
            except asyncio.CancelledError:
                job.activation = None
                raise
            except Exception as bug:  # a failing store, or a bug of ours: the engine ends rather than guesses
                job.activation = None
                self.failed(bug)
                return

    async def _once(self, job: Job) -> Happening | None:
        """Call the function once; what happened, or None when it is to be called again from its journal."""
        run, task = job.activation, asyncio.current_task()
        assert run is not None
        assert task is not None
        run.begun = True
        began = self.services.clock.now()
        happening: Happening | None = None
        try:
            if run.unwinding is Unwinding.NO:
                happening = await self._call(job, run, began)
        except asyncio.CancelledError:
            if run.unwinding is Unwinding.NO:
                if task.cancelling():  # the process ends
                    raise
                happening = self._raised(job, RunError("P307", "the function cancelled itself"), began)
        except (Exception, SystemExit) as error:
            if isinstance(error, StoreError) and not run.inside:  # the store cannot be read: the run is not to blame
                raise
            if run.unwinding is Unwinding.NO:
                happening = self._raised(job, error, began)
        finally:
            run.inside, run.over = False, True
            CURRENT.set(None)
        if run.branches:
            await wind_down(run)
        if isinstance(happening, Returned):
            happening = self._in_doubt(job, run, happening.busy) or happening
        if run.cancelled and not isinstance(happening, Returned):
            return Cancelled(self.services.clock.now())
        if run.doubted and run.unwinding is Unwinding.OVER:
            happening = None
        return happening or await self._unwound(job, run, began)

    async def _call(self, job: Job, run: Activation, began: Seconds) -> Happening | None:
        """Call the function with what its journal answers; None when it was taken down and returned all the same."""
        run.value = await self._load(job, run)
        account = account_of(job.runner, run.recorded)
        limit = job.runner.timeout
        if not in_doubt(run.recorded):  # what is in doubt is settled first, however long the run was at work
            limit = min(limit, seconds_left(job.runner, job.record.busy))
        CURRENT.set(context := tainting.begun(RunContext(run, "", until=began + limit, account=account)))
        run.inside = True
        try:
            answer = await call(job.runner.function, run.value, limit, self.services.offload)
        except OutOfTime as late:
            if limit < job.runner.timeout:
                raise out_of_seconds(job.runner) from late
            raise
        if run.unwinding is not Unwinding.NO:
            return None
        if gates.any_asked(run):
            answer = await tainting.let_out(context, answer)
        outcome = self._outcome(job, run, answer)
        now = self.services.clock.now()
        return Returned(now, outcome, now - began)

    async def _load(self, job: Job, run: Activation) -> tuple[Any, ...]:
        """The function's arguments; and, for a run taken up again, what its journal answers."""
        if job.stored:
            if not self.services.commits.resting:  # what it left behind a moment ago may not be on disk yet
                await self.services.commits.durable()
            rows = await self.services.store.journal(job.record.id)
            run.recorded = await read_recorded(rows, job.record.attempt, self.services.store.blob)
        if not job.record.topic:
            return tuple(job.runner.function.arguments.decode(job.record.arguments))
        if job.event is None:
            job.event = await self._event(job.record)
        return (event_value(self.services.design.get(Topic, job.record.topic), job.event),)

    async def _event(self, record: RunRecord) -> Event:
        """The event of a run. Raises P308 when it is kept no longer."""
        found = await self.services.store.events(record.topic, record.partition, start=record.offset, limit=1)
        if not found or found[0].offset != record.offset:
            raise RunError(
                "P308",
                f"the event {record.topic}:{record.partition}:{record.offset} has expired",
                fix=f"publish it again, or give `{record.topic}` a longer retain=",
            )
        return found[0]

    def _outcome(self, job: Job, run: Activation, answer: Any) -> bytes:
        """What the function returned, as JSON; a handler's answer becomes an event instead."""
        target = job.runner.to if isinstance(job.runner, Handler) else None
        if target is None:
            return job.runner.function.returns.encode(answer)
        if answer is not None:
            topic = self.services.design.get(Topic, target)
            run.events.append(new_event(topic, answer, job.record.tenant, job.record.id, self.services.clock.now()))
        return b""

    def _raised(self, job: Job, error: BaseException, began: Seconds) -> Raised | Doubted | HandedBack:
        error = cause_of(error)
        final = isinstance(error, PartiError) and error.code in FINAL
        now = self.services.clock.now()
        retry = retry_of(job.runner)
        run = job.activation
        if run is not None and (final or tries(job.record.attempt, retry) >= retry.attempts):
            unsure = self._in_doubt(job, run, now - began)
            if unsure is not None:
                return unsure
        body = error_json(error, job.runner)
        if job.activation:
            job.activation.note(Kind.ATTEMPT, "", job.record.part, "", now, now - began, b"null", body)
        return Raised(now, body, now - began, retry, self.services.chance.random(), final)

    def _in_doubt(self, job: Job, run: Activation, busy: Seconds) -> Doubted | HandedBack | None:
        """A run may end once a person has said what became of its writes."""
        return instead_of_ending(run, busy, settled=bool(job.settled) or self.is_settling(job.record.id))

    async def _unwound(self, job: Job, run: Activation, began: Seconds) -> Happening | None:
        """What happened to an activation that was taken down."""
        busy = self.services.clock.now() - began
        match run.unwinding:
            case Unwinding.SUSPEND | Unwinding.PARK | Unwinding.OVER if job.settled or self.is_settling(job.record.id):
                return HandedBack(busy)
            case Unwinding.SUSPEND:
                return Suspended(job.record.wake, min(busy, max(0.0, run.waiting_since - began)))
            case Unwinding.PARK | Unwinding.OVER:
                return Doubted(busy)
            case Unwinding.HAND_BACK:
                return HandedBack(busy)
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        job.stored = True
        await run.fence()
        if run.cancelled:  # meanwhile
            return Cancelled(self.services.clock.now())
        job.record = job.record._replace(busy=job.record.busy + busy)
        job.activation = Activation(self.services, job.runner, job.record, (), None, job.settled)
        job.activation.journaled, job.activation.task, job.activation.tell = True, task, job.tell
        return None

    def _conclude(self, job: Job, happening: Happening) -> None:
        """Do what the state machine says."""
        run = job.activation
        assert run is not None
        job.activation = None
        job.record, duty = advance(job.record, happening)
        run.record = job.record
        if duty is not Duty.COMMIT:
            run.discard()
        topic = self.services.design.by_name.get(job.record.topic)
        if duty is Duty.BURY and job.event is not None and isinstance(topic, Topic):
            # A topic of dead letters has none of its own: the run alone tells.
            dead = self.services.design.by_name.get(topic.dead_letters or "")
            if isinstance(dead, Topic):
                run.events.append(dead_letter(job, job.event.payload, topic, dead, job.record.ended))
        if duty in (Duty.COMMIT, Duty.BURY, Duty.DROP):
            run.release(self.services.clock.now())
            self._end(job)
        else:
            run.flush(always=True)
            self._rest(job, duty)
        self.changed()

    def _rest(self, job: Job, duty: Duty) -> None:
        """The run waits outside memory, and keeps its turn."""
        self.on_record(job)
        if duty is Duty.WAIT:
            self.set_aside(job, aside=True)
        self._left(job)
        if duty is Duty.WAIT and job.record.wake:
            job.timer = self.timers.at(job.record.wake, partial(self.woken, job))
        if duty is Duty.QUEUE and not self.stopping:
            self._has_turn(job)

    def _left(self, job: Job) -> None:
        """A run of a subscription is no longer at work."""
        subscription = self.subscription_of(job)
        if subscription:
            subscription.active -= 1
            subscription.look()
            self.pump(subscription)

    def subscription_of(self, job: Job) -> Subscription | None:
        """Where the run's event was read; None for calls and ticks."""
        return self.subscriptions.get(job.record.part) if job.record.topic else None

    def set_aside(self, job: Job, *, aside: bool) -> None:
        """A run rests, or rests no longer: it and those behind it do not take the room of others meanwhile."""
        if job.aside == aside:
            return
        self._count(job, aside=aside)
        for other in self.lanes.behind(job.lane):
            self._count(other, aside=aside)

    def _count(self, job: Job, *, aside: bool) -> None:
        job.aside = aside
        if aside:
            job.event = None  # it is read again when its turn comes
        subscription = self.subscription_of(job)
        if subscription:
            subscription.aside += 1 if aside else -1
            subscription.loaded -= 1 if aside else -1
            subscription.look()

    def _uncount(self, job: Job) -> None:
        subscription = self.subscription_of(job)
        if subscription:
            subscription.aside -= job.aside
            subscription.loaded -= not job.aside

    def _end(self, job: Job) -> None:
        """The run is over: the next of its key has its turn, and whoever waits for it learns its end from disk."""
        self.meter.add(job.record)
        self.over(job.record.id)
        self.on_record(job)
        self.services.commits.then(partial(self.ended, job))
        self._leave_line(job)
        self._uncount(job)
        if job.record.topic:
            del self.jobs[job.record.id]
            self._left(job)

    def _leave_line(self, job: Job) -> None:
        if job.lane is None:
            return
        if not self.lanes.is_first(job.lane, job):
            self.lanes.remove(job.lane, job)
            return
        following = self.lanes.leave(job.lane, job)
        if following is not None:
            self.set_aside(following, aside=False)
            self._has_turn(following)

    def drop(self, job: Job) -> None:
        """End a run that is not at work: a person cancelled it."""
        self._unset_timer(job)
        job.record, _ = advance(job.record, Cancelled(self.services.clock.now()))
        self.services.commits.batch.runs[job.record.id] = job.record
        self.over(job.record.id)
        self.services.commits.then(partial(self.ended, job))
        self.on_record(job)
        self._uncount(job)
        subscription = self.subscription_of(job)
        if subscription:
            if job in subscription.runnable:
                subscription.runnable.remove(job)
            subscription.look()
        self._leave_line(job)

    def ended(self, job: Job, _: Receipt) -> None:
        if self.jobs.get(job.record.id) is job:
            del self.jobs[job.record.id]
        for end in job.ends:
            if not end.done():
                end.set_result(job.record)
        self.changed()

    def woken(self, job: Job) -> None:
        """What a resting run waits for may be there."""
        if job.record.state in (State.WAITING, State.BACKOFF, State.PARKED) and job.activation is None:
            job.record, _ = advance(job.record, Woken())
            self._unset_timer(job)
            self.set_aside(job, aside=False)
            self._has_turn(job)

    def _unset_timer(self, job: Job) -> None:
        if job.timer is not None:
            job.timer.cancel()
            job.timer = None

    def on_record(self, job: Job) -> None:
        job.stored = True
        subscription = self.subscription_of(job)
        if subscription:
            subscription.mark(job.record.topic, job.record.partition, job.record.offset)
