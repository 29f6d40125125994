"""The routes of the Agent2Agent protocol: the cards of agents, and JSON-RPC to each, which the official SDK reads."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.response_helpers import agent_card_to_dict
from a2a.server.routes import DefaultServerCallContextBuilder
from a2a.server.routes.jsonrpc_dispatcher import JsonRpcDispatcher
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    HTTPAuthSecurityScheme,
    SecurityRequirement,
    SecurityScheme,
    StringList,
)
from a2a.utils.constants import AGENT_CARD_WELL_KNOWN_PATH, TransportProtocol
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from parti.errors import PartiError
from parti.serve.answers import Answer, Handler, json_answer
from parti.serve.outwards.a2a_agent import KEY, TENANT, A2aAgent
from parti.serve.outwards.calls import Exposed
from parti.serve.refusals import Refusal, problem
from parti.serve.requests import idempotency_key, read_body
from parti.serve.security import Gate
from parti.units import Seconds

BODY_SECONDS: Final[Seconds] = 30.0
READING_MAX: Final = 256
"""Requests whose bodies are held at a time."""

VERSIONS: Final = ("1.0", "0.3")


class A2aRoutes:
    """The agents by their names. The first is also the one that the whole server's card tells of."""

    def __init__(self, gate: Gate, agents: list[Exposed], version: str) -> None:
        self._gate = gate
        self._version = version
        self._agents = {agent.name: agent for agent in agents}
        self._first = agents[0]
        builder = _Callers(gate)
        self._dispatchers = {
            agent.name: JsonRpcDispatcher(A2aAgent(agent), builder, enable_v0_3_compat=True) for agent in agents
        }
        self._reading = 0

    def routes(self) -> list[tuple[str, str, Handler]]:
        """What answers which path."""
        return [
            ("GET", AGENT_CARD_WELL_KNOWN_PATH, self._card),
            ("GET", f"/a2a/{{agent}}{AGENT_CARD_WELL_KNOWN_PATH}", self._card),
            ("POST", "/a2a/{agent}", self._call),
        ]

    async def _card(self, request: Request) -> Answer:
        name = request.path_params.get("agent", self._first.name)
        return json_answer(agent_card_to_dict(self._card_of(self._asked(name), str(request.base_url))))

    def _card_of(self, agent: Exposed, base: str) -> AgentCard:
        """The card of an agent, which is at the address that it was asked for at."""
        url = f"{base.rstrip('/')}/a2a/{quote(agent.name, safe='')}"
        about = agent.endpoint.about or agent.name
        modes = ["text/plain" if agent.output.schema.get("type") == "string" else "application/json"]
        card = AgentCard(
            name=agent.name,
            description=about,
            version=self._version,
            supported_interfaces=[
                AgentInterface(url=url, protocol_binding=TransportProtocol.JSONRPC.value, protocol_version=version)
                for version in VERSIONS
            ],
            capabilities=AgentCapabilities(streaming=True, push_notifications=False, extended_agent_card=False),
            default_input_modes=["text/plain", "application/json"],
            default_output_modes=modes,
            skills=[AgentSkill(id=agent.name, name=agent.name, description=about, tags=["agent"])],
        )
        if self._gate.hosts is None:
            card.security_schemes["token"].CopyFrom(
                SecurityScheme(http_auth_security_scheme=HTTPAuthSecurityScheme(scheme="Bearer"))
            )
            card.security_requirements.append(SecurityRequirement(schemes={"token": StringList()}))
        return card

    def _asked(self, name: str) -> Exposed:
        agent = self._agents.get(name)
        if agent is None:
            raise PartiError("P308", f"there is no agent {name!r}", fix=f"one of: {', '.join(self._agents)}")
        return agent

    async def _call(self, request: Request) -> Response:
        self._gate.check_caller(request)
        self._gate.tenant(request)
        idempotency_key(request)  # a bad one is refused here, as it would be anywhere
        agent = self._asked(request.path_params["agent"])
        if self._reading >= READING_MAX:
            busy = problem(503, "P503", "too many requests at once", fix="try again soon", headers={"retry-after": "1"})
            raise Refusal(busy)
        self._reading += 1
        try:
            body = await read_body(request, within=BODY_SECONDS)
        finally:
            self._reading -= 1
        answer: Response = await self._dispatchers[agent.name].handle_requests(_with_body(request, body))
        return answer


class _Callers(DefaultServerCallContextBuilder):
    """Adds to the context of a call for whom, and under which key, it is."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def build(self, request: Request) -> ServerCallContext:
        """See ServerCallContextBuilder."""
        context = super().build(request)
        context.state[TENANT], context.state[KEY] = self._gate.tenant(request), idempotency_key(request)
        return context


def _with_body(request: Request, body: bytes) -> Request:
    """The request, to be read again: the SDK would read a body of any size."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)
