"""An MCP server as a process of its own: messages over its stdin and stdout, with a bound on their size, and a sure end.

The SDK's own transport keeps a line in memory however long it grows, and the end of the server is said by nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from parti.adapters.environment import expanded
from parti.design.tool_server import ToolServer
from parti.units import size_text

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]

GRACE: Final = 1.0
"""Seconds that a server may take to end once its stdin is closed, and once more after SIGTERM."""

LOOK: Final = 0.01
"""How often it is looked whether a process has ended, in seconds."""

WORDS_MAX: Final = 300
"""Characters of the last thing that a server said on stderr."""


class End:
    """What is known of why a server's process ended."""

    def __init__(self) -> None:
        self.why = ""
        self.flooded = False
        """Whether it sent more than it may: the same call would do so again."""
        self.last_words = ""
        self.process: Process | None = None

    def __str__(self) -> str:
        code = self.process.returncode if self.process else None
        ended = self.why or (f"it ended with the exit code {code}" if code is not None else "it closed the connection")
        return f"{ended}: {self.last_words}" if self.last_words else ended


@asynccontextmanager
async def over_stdio(server: ToolServer, longest: int, end: End) -> AsyncIterator[Streams]:
    """The streams of a session with the process that `server.command` starts. Raises OSError when it cannot be started."""
    environment = {**get_default_environment(), **expanded(server.env)}
    process = end.process = await asyncio.create_subprocess_exec(
        *server.command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, limit=longest, start_new_session=True
    )
    incoming, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_read, process, incoming, longest, end)
            group.start_soon(_write, process, outgoing, incoming)
            group.start_soon(_listen, process, end)
            try:
                yield read, write
            finally:
                with anyio.CancelScope(shield=True):
                    await _stop(process)
                group.cancel_scope.cancel()
    finally:
        for stream in (incoming, read, write, outgoing):
            stream.close()


async def _read(
    process: Process, incoming: MemoryObjectSendStream[SessionMessage | Exception], longest: int, end: End
) -> None:
    """Hand on each line of stdout; at its end, or at one that is too long, the session is told that it is over."""
    assert process.stdout
    with incoming, contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                end.why, end.flooded = f"it sent a message of more than {size_text(longest)}", True
                return
            if not line:
                await _wait_exit(process, GRACE / 4)  # so that its exit code can be told
                return
            try:
                await incoming.send(SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False)))
            except ValueError:
                continue  # servers print all sorts of things; what is no message is nobody's answer


async def _wait_exit(process: Process, seconds: float) -> bool:
    """Whether the process ends within that time. `Process.wait` would also wait for children that hold its pipes."""
    for _ in range(int(seconds / LOOK)):
        if process.returncode is not None:
            return True
        await asyncio.sleep(LOOK)
    return process.returncode is not None


async def _write(
    process: Process,
    outgoing: MemoryObjectReceiveStream[SessionMessage],
    incoming: MemoryObjectSendStream[SessionMessage | Exception],
) -> None:
    assert process.stdin
    try:
        async for one in outgoing:
            process.stdin.write(one.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
            await process.stdin.drain()
    except OSError:
        incoming.close()


async def _listen(process: Process, end: End) -> None:
    """Keep the last line of stderr; the rest is read and dropped, so that the server is never held up by it."""
    assert process.stderr
    with contextlib.suppress(ValueError):
        while line := await process.stderr.readline():
            end.last_words = line.decode("utf-8", "replace").strip()[-WORDS_MAX:] or end.last_words
        return
    while await process.stderr.read(64 * 1024):
        pass


async def _stop(process: Process) -> None:
    """End the process and all that it started: stdin is closed, then SIGTERM, then SIGKILL."""
    assert process.stdin
    process.stdin.close()
    for force in (0, signal.SIGTERM, signal.SIGKILL):
        if force:
            _signal(process, force)
        if await _wait_exit(process, GRACE):
            break
    _signal(process, signal.SIGKILL)  # to what it started and left behind
    transport = getattr(process, "_transport", None)
    if transport is not None:  # a pipe with something left to read would hold it open for ever
        transport.close()


def _signal(process: Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
