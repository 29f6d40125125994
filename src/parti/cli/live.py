"""Live progress on stderr: one line that changes on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import logging
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.live import Live
from rich.text import Text

from parti.cli.output import error_console, safe

if TYPE_CHECKING:
    from parti.verbs.progress import Progress

PLAIN_EVERY: Final = 5.0
REDRAW_EVERY: Final = 0.25
RATE_OVER: Final = 20
"""The rate is that of so many of the latest looks."""


class Screen:
    """Where progress and warnings go while the block runs. Warnings of the log appear above the changing line."""

    def __init__(self) -> None:
        self._console = error_console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._log = _LogLines(self)
        self._looks: deque[Progress] = deque(maxlen=RATE_OVER)
        self._said = ""
        self.pause = REDRAW_EVERY if self._console.is_terminal else PLAIN_EVERY
        """Seconds between two looks."""

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._log)
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        logging.getLogger().removeHandler(self._log)

    def tell(self, text: str) -> None:
        """Say something once."""
        self._console.print(safe(text), soft_wrap=True)

    def show(self, progress: Progress, *, last: bool = False) -> None:
        """Show where the system stands; elsewhere than on a terminal only when that has changed."""
        self._looks.append(progress)
        text = self._text(progress)
        if self._console.is_terminal:
            self._live.update(Text(text, style="dim"), refresh=True)
        elif text != self._said and not last:
            self.tell(text)
        self._said = text

    def _text(self, progress: Progress) -> str:
        first = self._looks[0]
        span = progress.at - first.at
        ended = progress.done + progress.failed - first.done - first.failed
        rate = f"  {ended / span:,.0f}/s" if span > 0 and ended / span >= 0.5 else ""
        return (
            f"{progress.done:,} done  {progress.waiting:,} waiting for a person  {progress.failed:,} failed"
            f"  {progress.open:,} open{rate}"
        )


class Counter:
    """How many of so many are done, on stderr: one line that changes on a terminal, every tenth of them elsewhere."""

    def __init__(self, before: str, noun: str) -> None:
        self._before = before
        self._noun = noun
        self._console = error_console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._tenth = -1

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, done: int, total: int) -> None:
        """So many are done."""
        text = f"{self._before}{done:,} of {total:,} {self._noun}"
        tenth = 10 * done // total if total else 10
        if self._console.is_terminal:
            self._live.update(Text(text, style="dim"), refresh=True)
        elif tenth != self._tenth:
            self._console.print(safe(text), soft_wrap=True)
        self._tenth = tenth


class _LogLines(logging.Handler):
    """Warnings as lines of the screen."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record."""
        self._screen.tell(self.format(record))
