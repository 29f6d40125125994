"""The engine: the one place where runs, commits, timers and readers are set going on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from functools import partial
from typing import Any, Final, TypeVar

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.labelling import Labelling
from parti.design.model import Model
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.engine import calls, publishing, starting
from parti.engine.activation import PATIENCE, Unwinding
from parti.engine.apart import BatchContext
from parti.engine.calling import Offload
from parti.engine.commits import After, Commits
from parti.engine.context import branching
from parti.engine.jobs import Job, job_of_event
from parti.engine.pressure import downstream, full_one
from parti.engine.resting import Resting
from parti.engine.retention import keep_no_longer
from parti.engine.runs import Runs
from parti.engine.schedules import keep_time
from parti.engine.services import Services
from parti.engine.sources import pump
from parti.engine.subscription import Subscription
from parti.engine.timers import Timers
from parti.ports.agents import AgentLoop
from parti.ports.chance import Chance
from parti.ports.clock import Clock
from parti.ports.detector import Detector
from parti.ports.embedder import Embedder
from parti.ports.llm import Llms
from parti.ports.operations import Outcome, Published
from parti.ports.scorer import Scorer
from parti.ports.store import Batch, Event, ModelVersion, QuestionRecord, Receipt, RunRecord, State, Store
from parti.ports.tool_server import ToolServers
from parti.ports.vectors import Nearest
from parti.units import Seconds

LOOK: Final[Seconds] = 0.1
"""How often a stopping engine looks whether its last words can be written."""

T = TypeVar("T")
log = logging.getLogger("parti")


class Engine:
    """Runs one design on one store. Implements ports.operations.Operations.

    `start` takes up where the last process left; `stop` finishes or hands back. One engine per event loop.
    """

    def __init__(
        self,
        design: Design,
        *,
        store: Store,
        clock: Clock,
        chance: Chance,
        offload: Offload,
        scorer: Scorer | None = None,
        llms: Llms | None = None,
        agents: AgentLoop | None = None,
        embedder: Embedder | None = None,
        nearest: Nearest | None = None,
        servers: ToolServers | None = None,
        stand_ins: bool = False,
        replay_each: bool = False,
        labelling: Labelling | None = None,
        detector: Detector | None = None,
    ) -> None:
        self._design, self._clock, self._chance = design, clock, chance
        self.commits = Commits(store, clock, self._seal)
        self.services = Services(
            design=design, store=store, clock=clock, chance=chance, offload=offload, commits=self.commits,
            scorer=scorer, llms=llms, agents=agents, embedder=embedder, nearest=nearest, servers=servers,
            allowed=starting.allowed_arrows(design), replay_each=replay_each, labelling=labelling, detector=detector,
        )  # fmt: skip
        self.resting = Resting(self.services, self.spawn, stand_ins=stand_ins)
        self.services.on_question = self.resting.asked
        self.services.on_wait = self.resting.waits
        self.timers = Timers(clock)
        self.runs = self.resting.runs = Runs(
            services=self.services,
            timers=self.timers,
            is_settling=self.resting.questions.is_settling,
            begun=self.resting.watch,
            over=self.resting.questions.withdraw,
            changed=self.change,
            failed=self._fail,
        )
        self.readers: dict[str, list[Subscription]] = {}
        """The subscriptions of each topic."""
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Raises what ended the engine, if anything did."""
        self.downstream = downstream(design)
        """The topics that each runner fills."""
        self.ends: dict[tuple[str, int], int] = {}
        """The offset that the next event of each topic and partition will get."""
        self.services.spawn, self.services.apart = self.spawn, partial(BatchContext, self.services)
        self.services.publish = partial(publishing.accept, self)
        self.sources_open = 0
        self.active_calls = dict.fromkeys((endpoint.name for endpoint in design.all(Endpoint)), 0)
        """Runs of each endpoint that are at work or in line, also those that nobody waits for any more."""
        self.aside_calls = dict(self.active_calls)
        """Runs of each endpoint that wait for people or timers."""
        self.numbered: dict[str, int] = {}
        """The latest number given to a version of each model; it may not be on disk yet."""
        self.retrying: set[str] = set()
        """Dead runs that are being put back in line."""
        self.forgetting = asyncio.Lock()
        """Held while old runs are deleted; none is put back in line meanwhile."""
        self.publishing: dict[str, asyncio.Future[None]] = {}
        """Keyed publications that are under way."""
        self.pending: dict[str, int] = {}
        """Events of each topic that were published from outside and are not on disk yet."""
        self._background, self._changed = set[asyncio.Task[Any]](), asyncio.Event()
        asyncio.get_running_loop().set_task_factory(branching)

    @property
    def design(self) -> Design:
        """What runs."""
        return self._design

    @property
    def store(self) -> Store:
        """What it has stored."""
        return self.services.store

    @property
    def clock(self) -> Clock:
        """Its time."""
        return self._clock

    @property
    def chance(self) -> Chance:
        """Its chance."""
        return self._chance

    @property
    def trouble(self) -> str:
        """Why nothing can be accepted at the moment; empty when all is well."""
        return "it is stopping" if self.runs.stopping else self.commits.trouble

    # Starting and stopping

    @property
    def working(self) -> bool:
        """Whether it works on runs; until `begin` it only takes them down."""
        return self.runs.working

    async def start(self, *, work: bool = True) -> None:
        """Check that store and design fit, take up open runs, and begin to work. Raises P403, P406.

        Without `work` everything may be asked of it, but no run goes on and nothing is read until `begin`.
        """
        self.runs.working = False
        self.spawn(self.commits.run())
        await starting.start(self)
        if work:
            self.begin()

    def begin(self) -> None:
        """Let runs go on, sources be read and schedules tick."""
        self.runs.begin()
        self.spawn(self.timers.run())
        self.spawn(self.resting.run())
        for subscription in self.runs.subscriptions.values():
            self.spawn(
                subscription.run(partial(self._admit, subscription), partial(self._may_read, subscription.handler.name))
            )
        for source in self._design.all(Source):
            self.sources_open += 1
            self.spawn(pump(self, source))
        for schedule in self._design.all(Schedule):
            self.spawn(keep_time(self, schedule))
        self.spawn(keep_no_longer(self))

    async def stop(self, grace: Seconds = 10.0) -> None:
        """Take nothing new, let runs finish for `grace` seconds, hand back the rest, write everything down."""
        if not self._background:  # it has ended already
            return
        self.runs.stopping = True
        for job in list(self.runs.jobs.values()):
            if job.activation and job.activation.waiting():
                self.resting.suspend(job)
        try:
            async with asyncio.timeout(grace):
                await self._until_none_works()
        except TimeoutError:
            for job in list(self.runs.jobs.values()):
                if job.activation:
                    job.activation.unwind(Unwinding.HAND_BACK)
            with contextlib.suppress(TimeoutError):  # a function that will not be cancelled ends with the process
                async with asyncio.timeout(PATIENCE):
                    await self._until_none_works()
        if not self.failure.done():
            await self._write_down(grace)
        await self.abandon()
        if self.services.llms is not None:
            await self.services.llms.close()
        if self.services.embedder is not None:
            await self.services.embedder.close()
        if self.services.servers is not None:
            await self.services.servers.close()
        for job in self.runs.jobs.values():
            job.fail(calls.stopping())

    async def _write_down(self, patience: Seconds) -> None:
        """Wait until all is on disk, on a full one only so long: what is lost then was confirmed to nobody."""
        written = self.commits.durable()
        while not written.done() and (patience > 0 or not self.commits.trouble):
            done, _ = await asyncio.wait([written], timeout=LOOK)
            patience -= 0 if done else LOOK
        if not written.done():
            log.error("the disk is full: what was not confirmed to anyone is lost")
        else:
            written.exception()  # looked at: what ended the engine is raised elsewhere

    async def abandon(self) -> None:
        """Cancel everything at once, as a crash would."""
        self.runs.stopping = True
        working = (job.activation.task for job in self.runs.jobs.values() if job.activation)
        tasks = [task for task in (*self._background, *working) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.failure.done() and not self.failure.cancelled():
            self.failure.exception()  # so that it does not count as never looked at

    async def _until_none_works(self) -> None:
        while any(job.activation for job in self.runs.jobs.values()) and not self.failure.done():
            await self._next_change()

    async def idle(self) -> None:
        """Return when no work is left. People who are asked do not count as work; timers and stand-ins do.

        Raises what ended the engine, if anything did.
        """
        while not self._is_idle():
            await self._next_change()

    def _is_idle(self) -> bool:
        if self.failure.done():
            self.failure.result()
        read = all(subscription.caught_up for subscription in self.runs.subscriptions.values())
        busy = self.sources_open or self.resting.answering or not self.commits.resting or not read
        return not busy and all(self._at_rest(job) for job in self.runs.jobs.values())

    def _at_rest(self, job: Job) -> bool:
        """Whether a run waits for a person, or stands in line behind one that does."""
        if job.lane is not None and not self.runs.lanes.is_first(job.lane, job):
            return True
        return job.record.state is State.PARKED or (job.record.state is State.WAITING and job.asks)

    def change(self) -> None:
        """Something moved: those who wait for rest look again."""
        self._changed.set()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside the runs; its failure ends the engine."""
        loop = asyncio.get_running_loop()
        task = asyncio.Task(work, loop=loop, context=Context())  # from inside a run, too, no branch of it
        self._background.add(task)
        task.add_done_callback(self._over)
        return task

    async def see_through(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises. It goes on when who waits for it gives up; its failure ends nothing else."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[T] = loop.create_future()
        task = loop.create_task(work, context=Context())
        self._background.add(task)
        task.add_done_callback(partial(self._tell, told))
        return await asyncio.shield(told)

    def _tell(self, told: asyncio.Future[T], task: asyncio.Task[T]) -> None:
        self._background.discard(task)
        error = calls.stopping() if task.cancelled() else task.exception()
        if error is None:
            told.set_result(task.result())
        else:
            told.set_exception(error)
            told.exception()  # looked at: perhaps nobody waits any more

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self.failure.done():
            self.failure.set_exception(error)
            for job in self.runs.jobs.values():
                job.fail(error)
        self.change()

    # Reading and committing

    async def _may_read(self, handler: str) -> None:
        """Return when `handler` may take up more events: there is room on the disk's side and in what it fills."""
        while self.runs.stopping or not self.commits.room or full_one(self, handler):
            await self.clock.wait(LOOK)

    def _admit(self, subscription: Subscription, event: Event) -> None:
        handler = subscription.handler
        group = self._design.groups[handler.name]
        subscription.loaded += 1
        self.runs.enter(job_of_event(handler, event, group, self._design.digest, self.clock.now()))

    def _seal(self, batch: Batch) -> After:
        """Add where readers stand to a batch; what to do once it is on disk."""
        for subscription in self.runs.subscriptions.values():
            for number in subscription.dirty:
                place = (subscription.handler.name, subscription.handler.topic, number)
                batch.cursors[place] = subscription.partitions[number].watermark.low
            subscription.dirty.clear()
        places = [(event.topic, event.partition) for event in batch.events]
        return partial(self._committed, places, list(batch.rows), self.commits.number)

    def _committed(
        self, places: list[tuple[str, int]], rows: list[tuple[str, str, str]], number: int, receipt: Receipt
    ) -> None:
        self.services.overlay.forget(rows, number)
        for place, offset in zip(places, receipt.offsets, strict=True):
            self.ends[place] = offset + 1
        for topic in {topic for topic, _ in places}:
            for subscription in self.readers.get(topic, ()):
                subscription.look()
        for subscription in self.runs.subscriptions.values():
            if subscription.runnable:
                self.runs.pump(subscription)
        self.change()

    # What others may ask of it: see ports.operations.Operations

    async def call(
        self,
        endpoint: str,
        arguments: Sequence[Any],
        *,
        idempotency_key: str = "",
        tenant: str = "main",
        tell: Callable[[str], None] | None = None,
    ) -> Outcome:
        """See Operations.call."""
        return await calls.call(self, endpoint, tuple(arguments), idempotency_key, tenant, tell)

    async def answer_plain(self, endpoint: str, arguments: Sequence[Any], *, tenant: str = "main") -> bytes:
        """See Operations.answer_plain."""
        return await calls.answer_plain(self, endpoint, tuple(arguments), tenant)

    async def publish(
        self, topic: str, payloads: Sequence[bytes], *, tenant: str = "main", idempotency_key: str = ""
    ) -> Published:
        """See Operations.publish."""
        return await publishing.publish(self, topic, payloads, tenant, idempotency_key)

    async def retry(self, run: str) -> RunRecord:
        """See Operations.retry."""
        return await calls.retry(self, run)

    async def cancel(self, run: str) -> RunRecord:
        """See Operations.cancel."""
        return await calls.cancel(self, run)

    async def answer(self, question: str, answer: bytes, *, by: str) -> QuestionRecord:
        """See Operations.answer."""
        calls.refuse_if_troubled(self)
        return await self.resting.questions.answer(question, answer, by)

    async def add_version(self, version: ModelVersion, onnx: bytes) -> ModelVersion:
        """See Operations.add_version."""
        self._design.get(Model, version.model)
        return await publishing.add_version(self, version, onnx)

    async def add_evaluation(self, key: str, result: bytes) -> None:
        """See Operations.add_evaluation."""
        await publishing.add_evaluation(self, key, result)

    async def note_reveal(self, place: str, *, by: str) -> None:
        """See Operations.note_reveal."""
        await publishing.note_reveal(self, place, by)

    async def figures(self) -> dict[str, dict[str, Any]]:
        """See Operations.figures."""
        return await calls.figures(self)
