"""A line: so many at once, so many a minute, and each key in its turn, however much others ask."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from parti.ports.clock import Clock
from parti.units import Seconds

T = TypeVar("T")


class Turns(Generic[T]):
    """Who waits, by key. Keys have their turn one after the other; of one key, who came first. O(1) in and out."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: OrderedDict[Hashable, deque[T]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, key: Hashable, who: T) -> None:
        """Somebody waits behind those of the same key."""
        self._waiting.setdefault(key, deque()).append(who)

    def next(self) -> T:
        """Whose turn it is; their key goes behind the others. Raises KeyError when nobody waits."""
        key, waiting = self._waiting.popitem(last=False)
        who = waiting.popleft()
        if waiting:
            self._waiting[key] = waiting
        return who


class Line:
    """Calls enter and leave. Keys that wait have their turn one after the other; calls of one key keep their order.

    Calls begin at least ``60 / per_minute`` seconds apart. Entering and leaving costs O(1).
    """

    def __init__(self, concurrency: int, per_minute: float | None, clock: Clock) -> None:
        self._free = concurrency
        self._apart: Seconds = 60.0 / per_minute if per_minute else 0.0
        self._clock = clock
        self._next: Seconds = 0.0
        self._waiting: Turns[asyncio.Future[None]] = Turns()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, key: Hashable) -> Seconds:
        """Return when it is the turn of a call of `key`: how long it waited. Who is cancelled meanwhile takes no turn."""
        if not self._waiting and self._may_begin():
            self._begin()
            return 0.0
        came = self._clock.now()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(key, turn)
        self._look()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had its turn at this very moment
                self.leave()
            raise
        return self._clock.now() - came

    def leave(self) -> None:
        """A call that had entered is over."""
        self._free += 1
        self._look()

    def _may_begin(self) -> bool:
        return self._free > 0 and (not self._apart or self._clock.now() >= self._next)

    def _begin(self) -> None:
        self._free -= 1
        if self._apart:
            self._next = max(self._next, self._clock.now()) + self._apart

    def _look(self) -> None:
        """Give turns as far as there is room and time."""
        while self._waiting and self._may_begin():
            turn = self._waiting.next()
            if not turn.done():
                self._begin()
                turn.set_result(None)
        if self._waiting and self._free > 0 and self._timer is None:
            wait = max(0.0, self._next - self._clock.now())
            self._timer = asyncio.get_running_loop().call_later(wait, self._again)

    def _again(self) -> None:
        self._timer = None
        self._look()
