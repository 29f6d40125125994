"""Agents as models of an OpenAI-compatible server: ``/v1/chat/completions`` and ``/v1/models``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from parti.errors import PartiError
from parti.ports.operations import Operations, Outcome
from parti.serve.answers import Answer, Handler, json_answer
from parti.serve.events import told
from parti.serve.outwards.calls import Exposed, exposed
from parti.serve.outwards.chat_answers import Completion, refused
from parti.serve.outwards.chat_requests import ChatRequest, chat_request
from parti.serve.refusals import Refusal, problem, problem_of, run_header
from parti.serve.requests import idempotency_key, read_body
from parti.serve.security import Gate
from parti.units import Seconds

BODY_SECONDS: Final[Seconds] = 30.0

CONTENTS_AT_ONCE: Final = 256
"""Requests whose bodies are read at a time; which agent each is for stands in its body."""


def chat_routes(operations: Operations, gate: Gate) -> list[tuple[str, str, Handler]]:
    """The routes of the agents that are exposed as models; none where there are none."""
    models = {each.name: each for each in exposed(operations, "openai")}
    if not models:
        return []
    chat = Chat(operations, gate, models)
    return [
        ("POST", "/v1/chat/completions", guarded(gate, chat.completions)),
        ("GET", "/v1/models", guarded(gate, chat.models)),
        ("GET", "/v1/models/{id}", guarded(gate, chat.model)),
    ]


def guarded(gate: Gate, handler: Handler) -> Handler:
    """The handler behind the gate, with refusals in OpenAI's shape."""

    async def answer(request: Request) -> Response:
        try:
            gate.check_caller(request)
            return await handler(request)
        except Refusal as wrong:
            return refused(wrong.answer)
        except PartiError as wrong:
            return _failed(wrong)

    return answer


class Chat:
    """Answers of the models, which are agents by their names."""

    def __init__(self, operations: Operations, gate: Gate, models: dict[str, Exposed]) -> None:
        self._operations = operations
        self._gate = gate
        self._models = models
        self._since = int(operations.clock.now())
        self._reading = 0

    async def models(self, _: Request) -> Answer:
        """All models."""
        return json_answer({"object": "list", "data": [self._said(name) for name in self._models]})

    async def model(self, request: Request) -> Answer:
        """One model."""
        return json_answer(self._said(self._asked(request.path_params["id"]).name))

    async def completions(self, request: Request) -> Response:
        """One completion, whole or as a stream. Raises Refusal and PartiError for what cannot be answered."""
        asked = await self._read(request)
        agent = self._asked(asked.model)
        key = idempotency_key(request) or self._operations.chance.token()
        tenant, task = self._gate.tenant(request), asked.task()
        call = partial(agent.call, [task, ""], key=key, tenant=tenant)
        answer = Completion(
            agent.run(tenant, key),
            agent.name,
            int(self._operations.clock.now()),
            agent.output.schema.get("type") == "string",
            asked.wants_usage,
        )
        if asked.stream:
            return await _streamed(agent, call, answer)
        agent.enter()
        try:
            outcome = await call()
        finally:
            agent.leave()
        replayed = {"idempotency-replayed": "true"} if outcome.repeated else {}
        return json_answer(answer.whole(outcome), headers=run_header(outcome.run) | replayed)

    async def _read(self, request: Request) -> ChatRequest:
        if self._reading >= CONTENTS_AT_ONCE:
            busy = problem(503, "P503", "too many requests at once", fix="try again soon", headers={"retry-after": "1"})
            raise Refusal(busy)
        self._reading += 1
        try:
            return chat_request(await read_body(request, within=BODY_SECONDS))
        finally:
            self._reading -= 1

    def _asked(self, name: str) -> Exposed:
        found = self._models.get(name)
        if found is None:
            known = ", ".join(self._models)
            raise Refusal(problem(404, "P308", f"there is no model {name!r}", fix=f"one of: {known}"))
        return found

    def _said(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": self._since, "owned_by": self._operations.design.name}


async def _streamed(agent: Exposed, call: Callable[..., Awaitable[Outcome]], answer: Completion) -> Response:
    def made(tell: Callable[[str], None]) -> Awaitable[Outcome]:
        # Pieces of what is no text would be of no use: what is wrong with them may yet be repaired.
        return call(tell=tell if answer.plain else None)

    agent.enter()
    try:
        return await told(made, _failed, agent.leave, writing=answer, headers=run_header(answer.run))
    except BaseException:
        agent.leave()
        raise


def _failed(wrong: PartiError) -> Answer:
    return refused(problem_of(wrong, operator=False))
