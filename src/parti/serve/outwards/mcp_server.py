"""A server of the Model Context Protocol at ``/mcp``: the official SDK speaks it, each call of a tool is a run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, CallToolRequestParams, CallToolResult, ListToolsResult
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from parti.errors import PartiError
from parti.ports.operations import Operations, Outcome
from parti.serve.answers import Handler
from parti.serve.events import Pieces, next_piece
from parti.serve.outwards.calls import Exposed, worded
from parti.serve.outwards.mcp_tools import Misfit, arguments_of, failure, result_of, tool_name, tool_of
from parti.serve.refusals import Refusal, problem, problem_of, stopping
from parti.serve.requests import BODY_BYTES, is_key
from parti.serve.security import Gate

PATH: Final = "/mcp"

KEY: Final = "parti/idempotency-key"
"""The field of a call's `_meta` that holds its idempotency key."""

SESSIONS_MAX: Final = 1000

REQUESTS_MAX: Final = 1000
"""Requests at a time: their bodies are in memory, and those that listen hold a connection."""


class McpServer:
    """Lists and calls the tools. It answers requests while `at_work` is entered.

    A client that cancels a call ends its run; one that only goes away, in a session, does not.
    """

    def __init__(self, operations: Operations, gate: Gate, tools: list[Exposed]) -> None:
        self._operations = operations
        self._gate = gate
        self._tools = {tool_name(each): each for each in tools}
        design = operations.design
        self._listed = ListToolsResult(tools=[tool_of(each, design) for each in tools])
        self._server: Server[Any] = Server(
            design.name, version=design.digest, on_list_tools=self._list, on_call_tool=self._call
        )
        self._manager: StreamableHTTPSessionManager | None = None
        self._closing = asyncio.Event()
        self._answering = 0
        self._cancelling: set[asyncio.Task[None]] = set()

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Its path, for the methods that streamable HTTP has."""
        return [(method, PATH, self._answer) for method in ("POST", "GET", "DELETE")]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let it answer while the block runs.

        Sessions live in a task of their own: what goes wrong in one of them must not end the caller's.
        """
        ready, over = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            manager = StreamableHTTPSessionManager(
                self._server, max_sessions=SESSIONS_MAX, max_request_body_size=BODY_BYTES
            )
            async with manager.run():
                self._manager = manager
                ready.set()
                await over.wait()

        working = asyncio.create_task(work(), name="parti-mcp")
        begun = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait([working, begun], return_when=asyncio.FIRST_COMPLETED)
            yield
        finally:
            begun.cancel()
            self.stop_listening()
            self._manager = None
            over.set()
            await asyncio.gather(working, *self._cancelling)

    def stop_listening(self) -> None:
        """Let go of clients who only listen, so that the server can end. Calls go on."""
        self._closing.set()

    async def _answer(self, request: Request) -> Response:
        self._gate.check_caller(request)
        self._gate.tenant(request)  # a bad name is refused here, as it would be anywhere
        if self._manager is None:
            raise Refusal(stopping())
        if self._answering >= REQUESTS_MAX:
            busy = problem(503, "P503", "too many requests at once", fix="try again soon", headers={"retry-after": "1"})
            raise Refusal(busy)
        return Passed(self._manager, self._closing, self._count)

    def _count(self, more: int) -> None:
        self._answering += more

    async def _list(self, _: Any, __: Any) -> ListToolsResult:
        return self._listed

    async def _call(self, context: Any, params: CallToolRequestParams) -> CallToolResult:
        each = self._tools.get(params.name)
        if each is None:
            raise MCPError(INVALID_PARAMS, f"there is no tool {params.name!r}; there are: {', '.join(self._tools)}")
        meta: dict[str, Any] = dict(context.meta or {})
        key = meta.get(KEY) or self._operations.chance.token()
        if not is_key(key):
            raise MCPError(INVALID_PARAMS, f"{KEY} in _meta cannot be used: send a short printable ASCII text")
        try:
            arguments = arguments_of(each, params.arguments or {})
        except Misfit as wrong:
            return failure(str(wrong))
        tenant = self._gate.tenant(context.request)
        try:
            each.enter()
            try:
                return result_of(each, await self._run(context, each, arguments, key, tenant))
            finally:
                each.leave()
        except PartiError as wrong:
            return _failed(wrong)

    async def _run(self, context: Any, each: Exposed, arguments: list[Any], key: str, tenant: str) -> Outcome:
        pieces = Pieces()  # progress is for showing: it may have gaps
        task = asyncio.ensure_future(each.call(arguments, key=key, tenant=tenant, tell=pieces.tell))
        try:
            told = 0
            while (piece := await next_piece(task, pieces)) is not None:
                told += 1
                await context.session.report_progress(told, message=piece or None)
            return await task
        except asyncio.CancelledError:
            task.cancel()
            if each.endpoint.durable and not self._closing.is_set():
                self._cancel(each.run(tenant, key))
            raise

    def _cancel(self, run: str) -> None:
        async def cancel() -> None:
            with contextlib.suppress(PartiError):  # it has ended, or not begun
                await self._operations.cancel(run)

        task = asyncio.create_task(cancel())
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)


class Passed(Response):
    """A request that the SDK answers. Who only listens is told that the other side left once `closing` is set."""

    def __init__(
        self, manager: StreamableHTTPSessionManager, closing: asyncio.Event, count: Callable[[int], None]
    ) -> None:
        super().__init__()
        self._count = count
        self._manager = manager
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the SDK answer, and see to it that the answer ends."""
        begun = open_ = False

        async def watched(message: Message) -> None:
            nonlocal begun, open_
            begun, open_ = True, message["type"] == "http.response.start" or bool(message.get("more_body"))
            await send(message)

        listens = scope["method"] == "GET"
        self._count(1)
        try:
            await self._manager.handle_request(scope, self._until_closed(receive) if listens else receive, watched)
        except asyncio.CancelledError:
            # The time to drain is over: the last word is an answer, as for every other request.
            if not self._closing.is_set():
                raise
            if not begun:
                await stopping()(scope, receive, send)
        finally:
            self._count(-1)
        if open_:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _until_closed(self, receive: Receive) -> Receive:
        async def receiving() -> Message:
            waiting = [asyncio.ensure_future(receive()), asyncio.ensure_future(self._closing.wait())]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                return waiting[0].result() if waiting[0].done() else {"type": "http.disconnect"}  # type: ignore[return-value]
            finally:
                for each in waiting:
                    each.cancel()

        return receiving


def _failed(wrong: PartiError) -> CallToolResult:
    """The result of a failed call. Raises MCPError where nothing was begun because there is too much to do."""
    answer = problem_of(wrong, operator=False)
    said = from_json(bytes(answer.body))
    if answer.status_code == 503:
        raise MCPError(INTERNAL_ERROR, worded(said), {**said, "retry_after": int(answer.headers["retry-after"])})
    return failure(worded(said), wrong.run)
