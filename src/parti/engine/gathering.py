"""Gathering: calls that come within a moment of each other are served together, as one batch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Any, Final

from parti.design.batch import Batch
from parti.engine.turns import Lines, Served, Spawn, Turn
from parti.line import Turns
from parti.ports.clock import Clock
from parti.units import Seconds

INSTANT: Final[Seconds] = 1e-7
"""A batch leaves this much later than it could, so that what comes at that very instant is in it."""

Serve = Callable[[list[Any], Turn], Awaitable[Sequence[Any]]]
"""Answers a list of items, in the turn of their batch: as many answers, in their order. An exception stands in the place of
one that failed."""


class Call:
    """A call that waits to be served with others, or is. Times are in seconds."""

    __slots__ = ("answer", "began", "came", "group", "item", "size", "took", "waited", "waits")

    def __init__(self, item: Any, came: Seconds) -> None:
        self.item = item
        self.came = came
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.began: Seconds | None = None
        """When its batch began; None while it waits."""
        self.waited: Seconds = 0.0
        self.took: Seconds = 0.0
        self.size = 0
        """How many calls are served with it, itself included."""
        self.waits = True
        """Whether it is neither served yet nor cut off."""
        self.group: _Group | None = None


class _Group:
    """A batch at work: its task, and how many still wait for it."""

    __slots__ = ("left", "task")

    def __init__(self, task: asyncio.Task[None], left: int) -> None:
        self.task = task
        self.left = left


class Gathering:
    """Calls of one part and one tenant, on their way into batches. `over` is called when none is left.

    A batch leaves when `size` calls wait, or `linger` after the first of them came; then it stands in the part's line. While
    it does, it takes up whatever comes, as far as there is room. In a full one each key has its turn.
    """

    def __init__(
        self, part: Served, tenant: str, clock: Clock, lines: Lines, spawn: Spawn, over: Callable[[], object]
    ) -> None:
        assert part.batch is not None, "only parts with a batch gather"
        self._part = part
        self._batch: Batch = part.batch
        self._tenant = tenant
        self._clock = clock
        self._lines = lines
        self._spawn = spawn
        self._over = over
        self._calls: Turns[Call] = Turns()
        self._came: deque[Call] = deque()
        """Those that wait, in the order in which they came; some have left since."""
        self._waiting = 0
        self._work: asyncio.Task[None] | None = None
        self._wake: asyncio.Future[None] | None = None

    def join(self, key: Hashable, item: Any, serve: Serve) -> Call:
        """A call of `key` joins; await `wait_for` it."""
        call = Call(item, self._clock.now())
        self._calls.add(key, call)
        self._came.append(call)
        self._waiting += 1
        if self._work is None:
            self._work = self._spawn(self._send_off(serve))
        elif self._waiting >= self._batch.size:
            self._look()
        return call

    async def wait_for(self, call: Call) -> Any:
        """The answer of a call. Raises what its batch raised, or what stands in the place of its answer."""
        try:
            return await call.answer
        except asyncio.CancelledError:
            self._give_up(call)
            if call.answer.done() and not call.answer.cancelled():
                call.answer.exception()  # looked at: nobody else will
            raise

    def _give_up(self, call: Call) -> None:
        """A call is cut off: it leaves, or its answer will be dropped. A batch that nobody waits for is ended."""
        if call.group is not None:
            call.group.left -= 1
            if call.group.left == 0:
                call.group.task.cancel()
        elif call.waits:
            call.waits = False
            self._waiting -= 1
            self._forget()
            self._look()

    def _look(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _send_off(self, serve: Serve) -> None:
        """Send off batch after batch, until nobody waits."""
        try:
            while self._waiting:
                await self._until_due()
                if self._waiting:
                    turn = await self._lines.enter(self._part, self._tenant, ())
                    await self._clock.wait(INSTANT)
                    self._begin(self._take(), turn, serve)
        finally:
            while self._calls:  # the process ends
                self._calls.next().answer.cancel()
            self._work = None
            self._over()

    async def _until_due(self) -> None:
        while 0 < self._waiting < self._batch.size:
            left = self._came[0].came + self._batch.linger - self._clock.now()
            if left <= 0:
                return
            timer = asyncio.get_running_loop().create_task(self._after(left))
            self._wake = asyncio.get_running_loop().create_future()
            try:
                await self._wake
            finally:
                self._wake = None
                timer.cancel()

    async def _after(self, duration: Seconds) -> None:
        await self._clock.wait(duration)
        self._look()

    def _take(self) -> list[Call]:
        """The calls of the next batch."""
        calls: list[Call] = []
        while self._calls and len(calls) < self._batch.size:
            call = self._calls.next()
            if call.waits:
                call.waits = False
                calls.append(call)
        self._waiting -= len(calls)
        self._forget()
        return calls

    def _forget(self) -> None:
        """Let the one that has waited longest be the first of those that came."""
        while self._came and not self._came[0].waits:
            self._came.popleft()

    def _begin(self, calls: list[Call], turn: Turn, serve: Serve) -> None:
        """Begin a batch; where all have left meanwhile, there is none."""
        if not calls:
            turn.end()
            return
        began = turn.began = self._clock.now()
        task = self._spawn(self._served(calls, turn, serve))
        task.add_done_callback(lambda _: turn.end())  # also where it is cancelled before it does anything
        group = _Group(task, len(calls))
        for call in calls:
            call.group, call.began, call.size, call.waited = group, began, len(calls), began - call.came

    async def _served(self, calls: list[Call], turn: Turn, serve: Serve) -> None:
        """Serve a batch, and tell each call its answer."""
        try:
            answers = await serve([call.item for call in calls], turn)
        except asyncio.CancelledError as error:
            if _is_ended():
                for call in calls:
                    call.answer.cancel()
                raise
            answers = [error] * len(calls)  # the function cut itself off
        except (Exception, SystemExit) as error:
            answers = [error] * len(calls)
        took = self._clock.now() - turn.began
        for call, answer in zip(calls, answers, strict=True):
            call.took = took
            if call.answer.done():  # cut off
                continue
            if isinstance(answer, BaseException):
                call.answer.set_exception(_raisable(answer))
            else:
                call.answer.set_result(answer)


def _is_ended() -> bool:
    """Whether the present task was cancelled from outside."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Gatherings:
    """Where calls of each part with a batch gather: tenants, and versions of a model, each by themselves."""

    def __init__(self, clock: Clock, lines: Lines, spawn: Spawn) -> None:
        self._clock = clock
        self._lines = lines
        self._spawn = spawn
        self._open: dict[tuple[str, str, int], Gathering] = {}

    def of(self, part: Served, tenant: str, version: int = 0) -> Gathering:
        """Where a call joins."""
        name = (part.name, tenant, version)
        gathering = self._open.get(name)
        if gathering is None:
            over = partial(self._open.pop, name)
            gathering = self._open[name] = Gathering(part, tenant, self._clock, self._lines, self._spawn, over)
        return gathering


def _raisable(error: BaseException) -> BaseException:
    """An exception as a future can hold it, that cuts off nobody."""
    if isinstance(error, Exception | SystemExit) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")
