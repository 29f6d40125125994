"""A connection to an MCP server: made when it is first needed, held by a task of its own, made again once it was lost.

Implements ports.tool_server.Connection by the official SDK. Nothing is offered to the server but its tools being called:
no sampling, no roots, no questions to people.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from contextvars import Context
from typing import Any, Final

from mcp.client.session import ClientSession, IncomingMessage
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
    Implementation,
    PaginatedRequestParams,
    ToolListChangedNotification,
)
from pydantic import ValidationError

from parti.adapters.mcp.http import over_http
from parti.adapters.mcp.messages import Messages, reply_of
from parti.adapters.mcp.stdio import End, over_stdio
from parti.design.tool_server import ToolServer
from parti.ports.tool_server import Reply, ServerFailure

LONGEST: Final = 4 * 1024 * 1024
"""Bytes that any message of a server may have: lists of tools too, and what is left out of results."""

PAGES_MAX: Final = 50
"""Pages of one list of tools."""

TOOLS_MAX: Final = 10_000
"""Tools that are looked at, before those that nobody wants are left out."""

CLOSING: Final = 5.0
"""Seconds that the end of a connection may take."""

KEY: Final = "parti/idempotency-key"
"""Where in `_meta` a write's idempotency key is told to the server."""

OURSELVES: Final = Implementation(name="parti", version="1")

UNSURE: Final = frozenset({CONNECTION_CLOSED, INTERNAL_ERROR, PARSE_ERROR})
"""Errors that leave it open whether a call took effect."""

TERMINATED: Final = "Session terminated"
"""What the SDK says where a server has forgotten the session, and did nothing."""

CLOSED: Final = "Connection closed"
"""What the SDK says where there is no connection any more."""

OLD_WORDS: Final = (UNSUPPORTED_PROTOCOL_VERSION, METHOD_NOT_FOUND)
"""What a server answers to the old handshake that only knows the new one."""


class McpConnection:
    """One MCP server. A session lives in a task of its own, since it must be left in the task that entered it."""

    def __init__(self, server: ToolServer) -> None:
        self.stale = False
        self._server = server
        self._session: _Session | None = None

    async def list(self) -> Sequence[Mapping[str, Any]]:
        """See ports.tool_server.Connection."""
        session = await self._connected()
        self.stale = False
        tools: list[Mapping[str, Any]] = []
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            page, cursor = await session.page(cursor)
            tools.extend(page)
            if cursor is None or len(tools) > TOOLS_MAX:
                return tools
        raise ServerFailure(f"the list of tools of `{self._server.name}` does not end", sent=False)

    async def call(self, tool: str, arguments: Mapping[str, Any], *, key: str) -> Reply:
        """See ports.tool_server.Connection."""
        session = await self._connected()
        return await session.call(tool, dict(arguments), key)

    async def close(self) -> None:
        """See ports.tool_server.Connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _change(self) -> None:
        self.stale = True

    async def _connected(self) -> _Session:
        if self._session is not None and self._session.over:
            await self.close()
        if self._session is None:
            self._session = _Session(self._server, self._change)
        await self._session.wait_ready()
        return self._session


class _Session:
    """A session with the server, from its handshake until it is left or lost."""

    def __init__(self, server: ToolServer, changed: Callable[[], None]) -> None:
        self.messages: Messages | None = None
        self._server = server
        self._changed = changed
        self._client: ClientSession | None = None
        self._end = End()
        self._leave = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = loop.create_future()
        # In a context of its own: the task outlives the run whose step happens to need it first.
        self._task = Context().run(loop.create_task, self._live())

    @property
    def over(self) -> bool:
        """Whether it has ended, or is about to."""
        return self._leave.is_set() or self._task.done()

    async def wait_ready(self) -> None:
        """Return once the handshake is done. Raises ServerFailure."""
        await asyncio.shield(self._ready)

    async def page(self, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """A page of the list of tools, and where the next one begins."""
        assert self._client and self.messages
        try:
            await self._client.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        except MCPError as wrong:
            raise await self._failed(wrong, sent=False) from wrong
        except ValidationError as wrong:
            said = f"the list of tools of `{self._server.name}` is none: {wrong.error_count()} errors"
            raise ServerFailure(said, sent=False) from wrong
        return self.messages.tools, self.messages.cursor

    async def call(self, tool: str, arguments: dict[str, Any], key: str) -> Reply:
        """What the server answers to a call."""
        assert self._client
        if self.over:
            raise self._lost(sent=False)
        meta: Any = {KEY: key} if key else None
        try:
            result = await self._client.call_tool(tool, arguments, meta=meta, allow_input_required=True)
        except MCPError as wrong:
            if wrong.code in UNSURE or wrong.message == TERMINATED:
                raise await self._failed(wrong, sent=wrong.message != TERMINATED) from wrong
            return Reply(wrong.message, failed=True)
        except ValidationError as wrong:
            said = f"`{self._server.part_of(tool)}` answered what is no result: {wrong.error_count()} errors"
            raise ServerFailure(said) from wrong
        return reply_of(result)

    async def close(self) -> None:
        """Leave it, and wait until all of it has ended."""
        self._leave.set()
        if not self._ready.done():  # in the middle of a handshake, which may never end
            self._task.cancel()
        done, _ = await asyncio.wait([self._task], timeout=CLOSING)
        if not done:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CLOSING)

    async def _failed(self, wrong: MCPError, *, sent: bool) -> ServerFailure:
        """An error that is no answer. Where the session is gone, the next call begins a new one."""
        if wrong.message in (TERMINATED, CLOSED):
            self._leave.set()
        if wrong.message == CLOSED:
            await asyncio.wait([self._task], timeout=CLOSING)  # its end says why
            return self._lost(sent=sent)
        said = f"`{self._server.name}` did not answer as it should: {wrong.message}"[:1000]
        passing = wrong.code == CONNECTION_CLOSED or wrong.message == TERMINATED
        return ServerFailure(said, sent=sent, passing=passing, fix="look at the server")

    def _lost(self, *, sent: bool) -> ServerFailure:
        said = f"`{self._server.name}` cannot be used: {self._end}"[:1000]
        return ServerFailure(said, sent=sent, passing=not self._end.flooded, fix="look at the server")

    async def _live(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                longest = max(LONGEST, 2 * self._server.result_max)
                http = bool(self._server.url)
                door = over_http(self._server, longest) if http else over_stdio(self._server, longest, self._end)
                self.messages = Messages(*await stack.enter_async_context(door))
                self.messages.on_end = self._leave.set  # type: ignore[method-assign]
                session = ClientSession(dispatcher=self.messages, message_handler=self._heard, client_info=OURSELVES)
                self._client = await stack.enter_async_context(session)
                await _greet(self._client)
                self._ready.set_result(None)
                await self._leave.wait()
        except BaseException as wrong:
            self._end.why = self._end.why or _reason(wrong)
            if isinstance(wrong, asyncio.CancelledError | KeyboardInterrupt | SystemExit):
                raise
        finally:
            self._leave.set()
            if not self._ready.done():
                self._ready.set_exception(self._lost(sent=False))
                self._ready.exception()  # looked at, also when nobody waits any more

    async def _heard(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._changed()


async def _greet(client: ClientSession) -> None:
    """The handshake that all servers of today know; else that of those which know only the new one."""
    try:
        await client.initialize()
    except MCPError as wrong:
        if wrong.code not in OLD_WORDS:
            raise
        await client.discover()


def _reason(wrong: BaseException) -> str:
    """Why a session ended, in one line: the innermost error of groups."""
    while isinstance(wrong, BaseExceptionGroup):
        wrong = wrong.exceptions[0]
    if isinstance(wrong, ServerFailure):
        return wrong.what
    if isinstance(wrong, MCPError) and wrong.message == CLOSED:
        return ""  # the exit code says more
    return f"{type(wrong).__name__}: {wrong}".splitlines()[0][:500]
