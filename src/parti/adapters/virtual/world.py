"""The virtual clock: an event loop whose time jumps to the next timer as soon as everything waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from heapq import heappush
from math import ulp
from typing import Any, Final, TypeVar

from parti.units import Seconds

T = TypeVar("T")

EPOCH: Final[Seconds] = 1767225600.0
"""2026-01-01T00:00Z, when every virtual world begins."""

_ROUNDS = 10


class Deadlock(Exception):
    """Everything waits, and no timer is left that could wake anything: a bug of ours."""


class _Timer(asyncio.TimerHandle):
    """A timer that fires after those of the same moment that were set before it."""

    __slots__ = ("_number",)
    _scheduled: bool

    def __init__(self, number: int, when: Seconds, callback: Any, args: Any, loop: Any, context: Any) -> None:
        super().__init__(when, callback, args, loop, context)
        self._number = number

    def __lt__(self, other: Any) -> bool:
        return (self.when(), self._number) < (other.when(), other._number)


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without sockets, threads or real time. `time()` starts at 0; made in some 20 microseconds."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: Seconds = 0.0
        self._timers_set = 0
        self._scheduled: list[_Timer] = []  # the heap that the base class pops
        self._selector = self  # the base class asks it to wait; here that means: jump

    def time(self) -> Seconds:
        """Virtual seconds since the loop was made."""
        return self._passed

    def call_at(  # type: ignore[override]
        self, when: Seconds, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Call back at virtual time `when`."""
        self._timers_set += 1
        timer = _Timer(self._timers_set, when, callback, args, self, context)
        heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def select(self, timeout: Seconds | None) -> tuple[()]:
        """Let `timeout` seconds pass at once: the base class says how long it is until the next timer."""
        if timeout is None:
            raise Deadlock(f"every task waits and no timer is set: {_waiting(self)}")
        if timeout > 0:
            # To the timer exactly: adding up rounded differences would let it fire late or out of order.
            self._passed = max(self._passed, self._scheduled[0].when())
            # The base class fires what is due before now plus this; it must not vanish in the rounding of a large now.
            self._clock_resolution = 2 * ulp(self._passed)
        return ()

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Call `func` here and now: a virtual world has no threads."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as wrong:
            future.set_exception(wrong)
        return future

    def _process_events(self, event_list: tuple[()]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


class VirtualClock:
    """The clock port over a virtual loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> Seconds:
        """Virtual seconds since 1970-01-01T00:00Z."""
        return EPOCH + self._loop.time()

    async def wait(self, duration: Seconds) -> None:
        """Return after `duration` virtual seconds (at least one turn of the event loop)."""
        await asyncio.sleep(max(0.0, duration))


def run_virtual(main: Callable[[VirtualClock], Coroutine[Any, Any, T]]) -> T:
    """What `main(clock)` returns, played in a world of its own. Tasks it leaves behind are cancelled.

    Raises Deadlock when everything waits for ever.
    """
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main(VirtualClock(loop)))
    finally:
        try:
            _cancel_leftovers(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


def _cancel_leftovers(loop: VirtualLoop) -> None:
    for _ in range(_ROUNDS):
        left = asyncio.all_tasks(loop)
        if not left:
            return
        for task in left:
            task.cancel()
        loop.run_until_complete(_wait_briefly(left))
    raise Deadlock(f"tasks that were cancelled go on: {_waiting(loop)}")


async def _wait_briefly(tasks: set[asyncio.Task[Any]]) -> None:
    done, _ = await asyncio.wait(tasks, timeout=1.0)
    for task in done:
        if not task.cancelled():
            task.exception()  # looked at: nobody else will


def _waiting(loop: VirtualLoop) -> str:
    names = sorted(
        f"{task.get_name()} in {getattr(task.get_coro(), '__qualname__', '?')}" for task in asyncio.all_tasks(loop)
    )
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
