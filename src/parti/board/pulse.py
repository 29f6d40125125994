"""The pulse: one series of pictures for all pages that look, and none while nobody does."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, NamedTuple

from parti.errors import Overloaded, PartiError
from parti.ports.clock import Clock
from parti.units import Seconds

EVERY: Final[Seconds] = 0.4
"""Between two pictures: an event is seen within half a second, and the few milliseconds that a picture takes are some 1 % of the engine's."""

KEPT: Final = 30
"""Pictures that a page which lost its connection can still get; one that is slower loses the oldest."""

LINGERS: Final = 10
"""Pictures that are still taken when nobody looks any more, so that a page that comes back has no gap."""

LISTENERS: Final = 64
LOG: Final = logging.getLogger("parti.board")

Take = Callable[[], Awaitable[bytes]]
"""Takes a picture: JSON without line feeds."""


class Beat(NamedTuple):
    """One event of the stream: its number since the process began, its name, and JSON."""

    number: int
    name: str
    data: bytes


class Pulse:
    """A stream of server-sent events that all pages share. Nothing is queued for anyone: a page reads on from where it is.

    `epoch` tells this process from the one before, whose numbers mean nothing here; it has no "-". While somebody listens
    there is one task, which takes a picture, tells all, and waits; so pictures that take long come later, never closer.
    """

    def __init__(self, take: Take, clock: Clock, epoch: str) -> None:
        self._take, self._clock, self._epoch = take, clock, epoch
        self._beats: deque[Beat] = deque(maxlen=KEPT)
        self._number = 0
        self._listeners = 0
        self._beating: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._ended = False

    @property
    def listeners(self) -> int:
        """How many pages look."""
        return self._listeners

    @property
    def kept(self) -> int:
        """How many pictures are held."""
        return len(self._beats)

    def check_room(self) -> None:
        """Raise Overloaded (P503) where too many pages look, or the system stops."""
        if self._ended or self._listeners >= LISTENERS:
            why = "the system is stopping" if self._ended else f"{LISTENERS} pages look at the board already"
            raise Overloaded("P503", why, fix="try again soon", retry_after=5.0)

    async def listen(self, last_id: str) -> AsyncIterator[bytes]:
        """Events as bytes, from after `last_id` where it is still known, else from the next picture on; until `stop`."""
        self._listeners += 1
        number = self._number_of(last_id)
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat(), name="parti-board-pulse")
        try:
            yield b"retry: 1000\n\n"
            while not self._ended:
                news = self._news  # taken before looking, so that none is missed
                newer = [beat for beat in self._beats if beat.number > number]
                for beat in newer:
                    number = beat.number
                    yield self._written(beat)
                if not newer:
                    await news.wait()
        finally:
            self._listeners -= 1

    def stop(self) -> None:
        """End every stream, for good."""
        self._ended = True
        if self._beating is not None:
            self._beating.cancel()
        self._tell()

    async def _beat(self) -> None:
        alone = 0
        while alone <= LINGERS:
            alone = 0 if self._listeners else alone + 1
            name, data = await self._picture()
            self._number += 1
            self._beats.append(Beat(self._number, name, data))
            self._tell()
            await self._clock.wait(EVERY)
        self._beats.clear()
        self._beating = None

    async def _picture(self) -> tuple[str, bytes]:
        """A picture, or why there is none: a page is told, and the next second tries again."""
        try:
            return "picture", await self._take()
        except PartiError as wrong:
            return "trouble", _said(wrong.code, wrong.what, wrong.fix)
        except Exception:
            LOG.exception("no picture could be taken")
            return "trouble", _said("P307", "no picture could be taken", "look into the log of the system")

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _number_of(self, last_id: str) -> int:
        """The number that `last_id` names; that of the latest picture but one for a page that is new here."""
        epoch, _, number = last_id.partition("-")
        if epoch == self._epoch and number.isdecimal():
            return min(int(number), self._number)
        return max(self._number - 1, 0)

    def _written(self, beat: Beat) -> bytes:
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (
            self._epoch.encode(), beat.number, beat.name.encode(), beat.data,
        )  # fmt: skip


def _said(code: str, what: str, fix: str) -> bytes:
    return json.dumps({"code": code, "error": what, "try": fix}).encode()
