"""Over-grant: an agent has all that a tool server offers, today and tomorrow."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each agent and server."""
    for agent in case.design.all(Agent):
        for name in agent.tools:
            server = case.design.by_name.get(name)
            if isinstance(server, ToolServer) and (not server.only or "*" in server.only):
                yield Hit(server.name, agent.place, f"`{agent.name}` is granted every tool that `{name}` offers")


RULE = Rule(
    code="R111",
    name="over-grant",
    severity="high",
    says="An agent is given all tools of a server, also those that it does not need.",
    why="Whatever the server adds tomorrow, the agent may call; and so may whoever steers the agent.",
    standard="Shi et al., Progent (2025); OWASP ASI03",
    fix="name the tools with only=",
    look=look,
)
