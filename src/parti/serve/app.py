"""The ASGI application: every request of a running system comes in here, and every failure leaves as a coded answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from parti.design.endpoint import Endpoint
from parti.errors import PartiError
from parti.extras import need
from parti.ports.operations import Operations
from parti.serve.admin import PREFIX, admin_routes
from parti.serve.answers import Answer, Handler
from parti.serve.calls import LOG, EndpointCall
from parti.serve.docs_page import docs_page
from parti.serve.openapi import openapi_document
from parti.serve.outwards.calls import exposed
from parti.serve.outwards.chat import chat_routes
from parti.serve.refusals import Refusal, bug, problem, problem_of
from parti.serve.routes import exact_path, routes
from parti.serve.security import Gate, gate

if TYPE_CHECKING:
    from parti.serve.outwards.mcp_server import McpServer


class Beside(Protocol):
    """What is served beside all this, and lets in whom it will: the board."""

    def routes(self) -> list[BaseRoute]:
        """Its routes; they go before all others."""
        ...

    def stop_listening(self) -> None:
        """Let go of clients who only listen: the server is about to end."""
        ...


def http_app(
    operations: Operations,
    *,
    token: str,
    design_json: Callable[[], dict[str, Any]],
    healthy: Callable[[], str] = lambda: "",
    hosts: Collection[str] | None = None,
    beside: Beside | None = None,
) -> HttpApp:
    """The endpoints of `operations.design`, ``/docs``, ``/openapi.json`` and the routes of the operator under ``/-/``.

    `token` opens the operator's routes and the header `Parti-Tenant`. `design_json` draws the design as JSON. `healthy`
    returns "" or why the system cannot work now. `hosts` are names that requests may be addressed to, besides loopback;
    None believes any. Raises P501 for an empty token, P105 for a path that cannot be served.
    """
    guard = gate(token, hosts)
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/openapi.json", _fixed(Answer(openapi_document(operations.design)))),
        ("GET", "/docs", _fixed(docs_page())),
    ]
    table += chat_routes(operations, guard)
    mcp = mcp_server(operations, guard)
    table += mcp.routes() if mcp else []
    table += a2a_routes(operations, guard)
    # Endpoints come last, so a system may answer these paths itself.
    for endpoint in operations.design.all(Endpoint):
        if not endpoint.agent:
            table.append((endpoint.method, endpoint.path, EndpointCall(endpoint, operations, guard).answer))
    answering = [admin_routes(operations, guard, design_json, healthy), *routes(table)]
    return HttpApp(guard, [*(beside.routes() if beside else []), *answering], mcp, beside)


def mcp_server(operations: Operations, guard: Gate) -> McpServer | None:
    """The server of what is exposed as MCP tools; None where nothing is. Raises P110 without its package."""
    tools = exposed(operations, "mcp")
    if not tools:
        return None
    need("mcp", extra="mcp", purpose="exposing MCP tools")
    from parti.serve.outwards.mcp_server import McpServer  # noqa: PLC0415 only where it is exposed: it is heavy

    return McpServer(operations, guard, tools)


def a2a_routes(operations: Operations, guard: Gate) -> list[tuple[str, str, Handler]]:
    """The routes of the agents that are exposed by A2A. Raises P110 without its package."""
    agents = exposed(operations, "a2a")
    if not agents:
        return []
    need("a2a.types", extra="a2a", purpose="exposing A2A agents")
    from parti.serve.outwards.a2a_routes import A2aRoutes  # noqa: PLC0415 as above

    return A2aRoutes(guard, agents, operations.design.digest).routes()


class HttpApp(Starlette):
    """An application for HTTP alone: serve it with lifespan and websockets off."""

    def __init__(
        self, guard: Gate, answering: Sequence[BaseRoute], mcp: McpServer | None = None, beside: Beside | None = None
    ) -> None:
        super().__init__(routes=answering, middleware=[Middleware(Door, guard=guard)], exception_handlers=FAILURES)
        self.router.redirect_slashes = False
        self._mcp = mcp
        self._beside = beside

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """What must be entered while requests are answered: sessions of MCP live in it."""
        return self._mcp.at_work() if self._mcp else nullcontext()

    def stop_listening(self) -> None:
        """Let go of clients who only listen, before the server waits for requests under way."""
        if self._mcp:
            self._mcp.stop_listening()
        if self._beside:
            self._beside.stop_listening()

    def build_middleware_stack(self) -> ASGIApp:
        """The door and the routes, with the handlers of failures around both.

        Starlette's own stack raises a bug again once it is answered, for the server to log; here it is logged already.
        """
        app: ASGIApp = self.router
        for kind, args, options in reversed(self.user_middleware):
            app = kind(app, *args, **options)
        return ExceptionMiddleware(app, handlers=self.exception_handlers)


class Door:
    """Lets in what is addressed to this server, with its path made exact. Raises Refusal 403 (P502), 400 (P504)."""

    def __init__(self, app: ASGIApp, guard: Gate) -> None:
        self._app = app
        self._gate = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request."""
        assert scope["type"] == "http", f"served without lifespan and websockets, got {scope['type']}"
        self._gate.check_sender(Request(scope))
        scope["path"] = exact_path(scope)
        await self._app(scope, receive, send)


async def _refused(_: Request, wrong: Refusal) -> Response:
    return wrong.answer


async def _failed(request: Request, wrong: PartiError) -> Response:
    return problem_of(wrong, operator=request.scope["path"].startswith(PREFIX))


async def _not_found(request: Request, _: Exception) -> Response:
    what = f"nothing answers {request.method} {request.scope['path']}"
    return problem(404, "P507", what, fix="GET /docs shows what does")


async def _hung_up(_: Request, __: ClientDisconnect) -> None:
    """Nobody is left to be answered."""


async def _unexpected(request: Request, wrong: Exception) -> Response:
    LOG.error("%s %s failed", request.method, request.scope["path"], exc_info=wrong)
    return bug()


FAILURES: Final[dict[Any, Any]] = {
    404: _not_found,
    Refusal: _refused,
    PartiError: _failed,
    ClientDisconnect: _hung_up,
    Exception: _unexpected,
}
"""What answers a failure, by the status or class of the exception."""


def _fixed(answer: Answer) -> Handler:
    async def handler(_: Request) -> Response:
        return answer

    return handler
