"""One endpoint behind HTTP: from the request to the call of the running system, and from its end to the answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from parti.design.endpoint import Endpoint
from parti.design.payload import Payload
from parti.errors import PartiError, PayloadError
from parti.ports.operations import Operations
from parti.ports.operations import Outcome as CallOutcome
from parti.serve.answers import Answer
from parti.serve.arguments import Binding
from parti.serve.events import told, wants_events
from parti.serve.refusals import bug, problem, problem_of, run_header
from parti.serve.requests import idempotency_key, read_body
from parti.serve.security import Gate

LOG: Final = logging.getLogger("parti")
_REPLAYED: Final = {"idempotency-replayed": "true"}


class EndpointCall:
    """Answers the requests of one endpoint, at most `Endpoint.concurrency` at a time; the others get 503 (P503).

    A plain endpoint that may return None (``-> X | None``) answers None with 404 (P308): there is no such thing.
    """

    def __init__(self, endpoint: Endpoint, operations: Operations, gate: Gate) -> None:
        self.endpoint = endpoint
        self._operations = operations
        self._gate = gate
        self._binding = Binding(endpoint)
        self._none_is_missing = may_be_none(endpoint.function.returns)
        self._call = self._durable if endpoint.durable else self._plain
        self.active = 0

    async def answer(self, request: Request) -> Response:
        """The answer to one request. Raises Refusal for what cannot be called."""
        if self.active >= self.endpoint.concurrency:
            return self._busy()
        # Counted before the body is read: bodies are held in memory.
        self.active += 1
        streams = False
        try:
            body = await read_body(request, within=self.endpoint.timeout) if self._binding.reads_body else b""
            arguments, tenant = self._binding.arguments(request, body), self._gate.tenant(request)
            if not (self.endpoint.durable and wants_events(request)):
                return await self._call(request, arguments, tenant)
            streams = True  # it is counted until the last event is sent
            return await told(partial(self._telling, request, arguments, tenant), self._failed, self._over)
        except BaseException:
            streams = False
            raise
        finally:
            self.active -= not streams

    def _over(self) -> None:
        self.active -= 1

    async def _telling(
        self, request: Request, arguments: list[Any], tenant: str, tell: Callable[[str], None]
    ) -> CallOutcome:
        key = idempotency_key(request)
        return await self._operations.call(self.endpoint.name, arguments, idempotency_key=key, tenant=tenant, tell=tell)

    async def _plain(self, request: Request, arguments: list[Any], tenant: str) -> Answer:
        name = self.endpoint.name
        try:
            body = await self._operations.answer_plain(name, arguments, tenant=tenant)
        except PayloadError as wrong:
            # The arguments were checked, so it is the endpoint's own code that met a value that does not fit.
            LOG.error("`%s` failed: %s", name, wrong)
            return bug()
        except PartiError as wrong:
            return self._failed(wrong)
        if body == b"null" and self._none_is_missing:
            return problem(404, "P308", f"`{name}` has nothing for this request", fix="check what the request names")
        return Answer(body)

    async def _durable(self, request: Request, arguments: list[Any], tenant: str) -> Answer:
        key = idempotency_key(request)
        try:
            outcome = await self._operations.call(self.endpoint.name, arguments, idempotency_key=key, tenant=tenant)
        except PartiError as wrong:
            return self._failed(wrong)
        headers = run_header(outcome.run)
        return Answer(outcome.result, headers=headers | _REPLAYED if outcome.repeated else headers)

    def _failed(self, wrong: PartiError) -> Answer:
        answer = problem_of(wrong, operator=False)
        if answer.status_code == 500 and not wrong.run:
            # With a run, the journal has the reason; without one, the log is the only place for it.
            LOG.error("`%s` failed: %s", self.endpoint.name, wrong)
        return answer

    def _busy(self) -> Answer:
        what = f"`{self.endpoint.name}` answers {self.endpoint.concurrency} requests already"
        return problem(503, "P503", what, fix="try again soon", headers={"retry-after": "1"})


def may_be_none(payload: Payload) -> bool:
    """Whether the type is one of ``X | None``."""
    options = payload.schema.get("anyOf", ())
    return {"type": "null"} in options
