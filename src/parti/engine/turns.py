"""Turns: a part that serves so many calls at once has a line before it, where each waits for its turn to begin.

Nothing here waits for itself. A call inside a part that it calls again does not stand in line; and where calls inside `a`
have waited for `b`, a call inside `b` does not wait for `a`, nor for anything that leads there. So those who hold turns and
wait for others never form a circle. A batch function uses no parts, so batches hold their turns and wait for nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from typing import Any

from parti.design.model import Model
from parti.design.step import Step
from parti.design.tool import Tool
from parti.engine.calling import Offload
from parti.line import Line
from parti.ports.clock import Clock
from parti.units import Seconds

Served = Step | Tool | Model
"""Parts that may have a line before them, and be served in batches."""

Spawn = Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]


class Turn:
    """One call, or one batch, among those that a part serves at once; `part` is its name.

    It ends once: when it is told to, and no thread is at work on it any more. A blocking function that was given up goes
    on in its thread, and is counted until it returns.
    """

    __slots__ = ("_line", "_threads", "began", "open", "part", "waited")

    def __init__(self, part: str, line: Line | None, waited: Seconds, began: Seconds) -> None:
        self.part = part
        self.waited = waited
        """Seconds in line."""
        self.began = began
        """When it began, in seconds since 1970."""
        self.open = True
        """Whether it is being served; what it left behind holds nothing any more."""
        self._line = line
        self._threads = 0

    def end(self) -> None:
        """It is over."""
        self.open = False
        self._leave()

    def offload(self, offload: Offload) -> Offload:
        """`offload`, with the threads that it begins counted."""

        async def counted(function: Callable[..., Any], /, *arguments: Any) -> Any:
            thread = _Thread(self, asyncio.get_running_loop())
            self._threads += 1
            try:
                return await offload(thread.run, function, arguments)
            finally:
                if not thread.began:
                    thread.over()

        return counted

    def returned(self) -> None:
        """One of its threads is at work no more."""
        self._threads -= 1
        self._leave()

    def _leave(self) -> None:
        if not self.open and not self._threads and self._line is not None:
            line, self._line = self._line, None
            line.leave()


class _Thread:
    """A blocking function at work for a turn, in a thread that nobody can stop."""

    __slots__ = ("_loop", "_over", "_turn", "began")

    def __init__(self, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        self._turn = turn
        self._loop = loop
        self._over = False
        self.began = False

    def run(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        self.began = True
        try:
            return function(*arguments)
        finally:
            with suppress(RuntimeError):  # the process ends, and its loop is closed
                self._loop.call_soon_threadsafe(self.over)

    def over(self) -> None:
        if not self._over:
            self._over = True
            self._turn.returned()


class Lines:
    """The lines of one process, each before a part with `concurrency`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: dict[str, Line] = {}
        self._waited_for: dict[str, set[str]] = {}
        """For each part, those that calls inside of it have waited for. Free of circles."""

    def of(self, part: Served) -> Line | None:
        """The line before a part; None for one that serves any number."""
        if part.concurrency is None:
            return None
        line = self._lines.get(part.name)
        if line is None:
            line = self._lines[part.name] = Line(part.concurrency, None, self._clock)
        return line

    async def enter(self, part: Served, key: Hashable, held: tuple[Turn, ...]) -> Turn:
        """The turn of a call of `part` under `key`, made inside the turns that are `held`; whoever gets it must end it."""
        line = self.of(part) if self.may_wait(part, held) else None
        waited = 0.0 if line is None else await line.enter(key)
        return Turn(part.name, line, waited, self._clock.now())

    def may_wait(self, part: Served, held: tuple[Turn, ...]) -> bool:
        """Whether a call inside the turns that are `held` can wait for `part` without ever waiting for itself."""
        inside = {turn.part for turn in held if turn.open}
        if any(self._leads(part.name, name) for name in inside):
            return False
        for name in inside:
            self._waited_for.setdefault(name, set()).add(part.name)
        return True

    def _leads(self, start: str, end: str) -> bool:
        """Whether whoever waits for `start` may be waiting for `end`."""
        seen, waiting = {start}, [start]
        while waiting:
            name = waiting.pop()
            if name == end:
                return True
            fresh = self._waited_for.get(name, set()) - seen
            seen |= fresh
            waiting.extend(fresh)
        return False
