"""What a run tells while it is at work, as server-sent events (HTML Living Standard, section 9.2).

A caller of a durable endpoint who accepts ``text/event-stream`` gets `told` events with the pieces of text, each as JSON, and
in the end one `result` or `error` event. What fails before anything was told is answered as any other request is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from parti.errors import PartiError
from parti.ports.operations import Outcome
from parti.serve.answers import Answer, Headers
from parti.units import Seconds

MEDIA: Final = "text/event-stream"

PIECES_MAX: Final = 10_000
"""Pieces that wait for a slow reader; with more it is cut off, and may ask again with its key."""

QUIET_MAX: Final[Seconds] = 15.0
"""After so long without a word a comment is sent, so that nobody in between closes the connection."""


class Pieces(asyncio.Queue[str]):
    """What a run tells a reader. It is `slow` once so much waited for it that a piece was dropped."""

    def __init__(self) -> None:
        super().__init__(PIECES_MAX)
        self.slow = False

    def tell(self, piece: str) -> None:
        """Keep a piece until it is read."""
        try:
            self.put_nowait(piece)
        except asyncio.QueueFull:
            self.slow = True


Call = Callable[[Callable[[str], None]], Awaitable[Outcome]]
"""Makes the call, given who is told."""


class Writing(Protocol):
    """How a stream is written: each method gives the bytes of one or more events."""

    def told(self, piece: str) -> bytes:
        """A piece that the run told."""
        ...

    def ended(self, outcome: Outcome) -> bytes:
        """The end of a call that went well."""
        ...

    def failed(self, problem: bytes) -> bytes:
        """The end of a call that failed; `problem` is the body that it would have been answered with."""
        ...


class Named:
    """Parti's own writing: `told`, `result` and `error` events."""

    def told(self, piece: str) -> bytes:
        """See Writing."""
        return event("told", json.dumps(piece))

    def ended(self, outcome: Outcome) -> bytes:
        """See Writing."""
        return event("result", outcome.result.decode() or "null", id=outcome.run)

    def failed(self, problem: bytes) -> bytes:
        """See Writing."""
        return event("error", problem.decode())


NAMED: Final = Named()


def wants_events(request: Request) -> bool:
    """Whether the caller asked for events."""
    return MEDIA in request.headers.get("accept", "")


async def told(
    call: Call,
    refusal: Callable[[PartiError], Answer],
    over: Callable[[], None],
    *,
    writing: Writing = NAMED,
    headers: Headers | None = None,
) -> Response:
    """The response to a caller who wants events. `refusal` makes errors answers; `over` is called when all is said.

    The stream begins with the first word, or once it is quiet for long: what fails before has a status of its own.
    """
    pieces = Pieces()
    task = asyncio.ensure_future(call(pieces.tell))
    first = asyncio.ensure_future(pieces.get())
    try:
        await asyncio.wait([task, first], timeout=QUIET_MAX, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        task.cancel()
        raise
    finally:
        if not first.done():
            first.cancel()
    if task.done() and not first.done():
        failure = task.exception()
        if isinstance(failure, PartiError):
            over()
            return refusal(failure)
    begun = first.result() if first.done() and not first.cancelled() else None
    stream = _stream(task, begun, pieces, refusal, over, writing)
    said = {"cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})}
    return StreamingResponse(stream, media_type=MEDIA, headers=said)


async def _stream(
    task: asyncio.Future[Outcome],
    begun: str | None,
    pieces: Pieces,
    refusal: Callable[[PartiError], Answer],
    over: Callable[[], None],
    writing: Writing,
) -> AsyncIterator[bytes]:
    try:
        if begun is not None:
            yield writing.told(begun)
        while not pieces.slow:
            piece = await next_piece(task, pieces)
            if piece is None:
                break
            yield writing.told(piece) if piece else b": still at work\n\n"
        if not pieces.slow:
            yield await _last(task, refusal, writing)
    finally:
        task.cancel()  # nobody listens any more; the run goes on
        over()


async def next_piece(task: asyncio.Future[Outcome], pieces: asyncio.Queue[str]) -> str | None:
    """The next piece, "" after a while without one, or None when all is said."""
    if not pieces.empty():
        return pieces.get_nowait()
    if task.done():
        return None
    waiting = asyncio.ensure_future(pieces.get())
    try:
        ways: list[asyncio.Future[Any]] = [task, waiting]
        await asyncio.wait(ways, timeout=QUIET_MAX, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        return None if task.done() else ""
    finally:
        waiting.cancel()


async def _last(task: asyncio.Future[Outcome], refusal: Callable[[PartiError], Answer], writing: Writing) -> bytes:
    try:
        return writing.ended(await task)
    except PartiError as wrong:
        return writing.failed(bytes(refusal(wrong).body))


def event(kind: str, data: str, *, id: str = "") -> bytes:
    """One event. `data` is JSON, which has no line breaks of its own."""
    name = f"id: {json.dumps(id)[1:-1]}\n" if id else ""
    return f"{name}event: {kind}\ndata: {data}\n\n".encode()
