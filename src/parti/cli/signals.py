"""Signals: the first asks for a graceful end, the second ends the process as a crash would."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from types import TracebackType
from typing import Self

SHOW_CURSOR = "\x1b[?25h"
WATCHED = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """SIGINT and SIGTERM while the block runs, inside a running event loop.

    Before `begun` a signal cancels the task that entered the block; from then on it sets `came`.
    """

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self._begun = False
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        for number in WATCHED:
            asyncio.get_running_loop().add_signal_handler(number, self._got, number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in WATCHED:
            asyncio.get_running_loop().remove_signal_handler(number)

    def begun(self) -> None:
        """The system runs: it can be stopped gracefully."""
        self._begun = True

    def _got(self, number: int) -> None:
        if self.came.is_set():
            # What was answered is on disk, so nothing is lost by ending here and now.
            if sys.stderr.isatty():
                sys.stderr.write(SHOW_CURSOR)
                sys.stderr.flush()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.came.set()
        if not self._begun and self._task is not None:
            self._task.cancel()
