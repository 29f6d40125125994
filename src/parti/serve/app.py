"""The ASGI application: every request of a running system comes in here, and every failure leaves as a coded answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from parti.design.endpoint import Endpoint
from parti.errors import PartiError
from parti.ports.operations import Operations
from parti.serve.admin import HEALTH, PREFIX, admin_routes
from parti.serve.asgi import Answer, ClientGone, Handler, Receive, Request, Scope, Send, send_answer
from parti.serve.calls import LOG, EndpointCall
from parti.serve.docs_page import docs_page
from parti.serve.openapi import openapi_document
from parti.serve.refusals import Refusal, bug, problem, problem_of
from parti.serve.routes import Routes
from parti.serve.security import Gate, gate


def http_app(
    operations: Operations,
    *,
    token: str,
    design_json: Callable[[], dict[str, Any]],
    healthy: Callable[[], str] = lambda: "",
    hosts: Collection[str] | None = None,
) -> HttpApp:
    """The endpoints of `operations.design`, ``/docs``, ``/openapi.json`` and the routes of the operator under ``/-/``.

    `token` opens the operator's routes and the header `Parti-Tenant`. `design_json` draws the design as JSON. `healthy`
    returns "" or why the system cannot work now. `hosts` are names that requests may be addressed to, besides loopback;
    None believes any. Raises P501 for an empty token, P105 for a path that cannot be served.
    """
    guard = gate(token, hosts)
    public = Routes()
    public.add("GET", "/openapi.json", _fixed(Answer(200, openapi_document(operations.design))))
    public.add("GET", "/docs", _fixed(docs_page()))
    # Endpoints come last, so a system may answer these paths itself.
    for endpoint in operations.design.all(Endpoint):
        public.add(endpoint.method, endpoint.path, EndpointCall(endpoint, operations, guard))
    return HttpApp(guard, public, admin_routes(operations, guard, design_json, healthy))


class HttpApp:
    """An ASGI application for HTTP alone: serve it with lifespan and websockets off."""

    def __init__(self, guard: Gate, public: Routes, admin: Routes) -> None:
        self._gate = guard
        self._public = public
        self._admin = admin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert scope["type"] == "http", f"served without lifespan and websockets, got {scope['type']}"
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except ClientGone:
            return
        await send_answer(send, answer)

    async def _answer(self, request: Request) -> Answer:
        operator = request.scope["path"].startswith(PREFIX)
        try:
            self._gate.check_sender(request)
            return await self._handler(request, operator)(request)
        except Refusal as refused:
            return refused.answer
        except PartiError as wrong:
            return problem_of(wrong, operator=operator)
        except asyncio.CancelledError:
            # The server cancels what is still under way when its time to drain is over: the last word is an answer.
            fix = "try again soon, with the same Idempotency-Key"
            headers = ((b"retry-after", b"1"), (b"connection", b"close"))
            return problem(503, "P503", "the system is stopping", fix=fix, headers=headers)
        except ClientGone:
            raise
        except Exception:
            LOG.exception("%s %s failed", request.method, request.scope["path"])
            return bug()

    def _handler(self, request: Request, operator: bool) -> Handler:
        if not operator:
            return self._public.find(request)
        if request.scope["path"] != HEALTH:
            # Before the path is looked up: strangers do not learn which routes there are.
            self._gate.check_operator(request)
        return self._admin.find(request)


def _fixed(answer: Answer) -> Handler:
    async def handler(_: Request) -> Answer:
        return answer

    return handler
