"""Who can do what: which effects a part may have, what lies outside, which parts start work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from parti.design.agent import Agent
from parti.design.budget import Budget
from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.labels import Label
from parti.design.schedule import Schedule
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.rules.base import Case

Runner = Handler | Endpoint | Schedule

PRIVATE: Final = (Label.PII, Label.PROTECTED)
"""Labels of what may not go just anywhere. Secrets, regions and purposes have rules of their own."""


def runners(design: Design) -> Iterator[Runner]:
    """The parts that start work."""
    return (part for part in design.parts if isinstance(part, Runner))


def effects_of(design: Design, agent: Agent) -> list[Tool | ToolServer]:
    """What an agent, or one that it calls, may do outside without a person's yes, in the order of declaration."""
    names = design.reach(agent.name)
    return [part for part in design.parts if part.name in names and isinstance(part, Tool | ToolServer) and acts(part)]


def acts(part: Tool | ToolServer) -> bool:
    """Whether it may change something outside, and nobody is asked before each such call."""
    if part.approval is not None and part.approval.when is None:
        return False
    return part.effect == "write" if isinstance(part, Tool) else may_write(part)


def may_write(server: ToolServer) -> bool:
    """Whether one of its tools may write. Where only the server could tell, it may."""
    if server.protocol == "openapi":
        wanted = (one for name, one in server.operations.items() if server.wants(name))
        return any(server.reaches.get(one.name, one.reach) != "read" for one in wanted)
    return not server.only or any(server.reaches.get(name) != "read" for name in server.only)


def doors_to(case: Case, agent: Agent) -> list[Endpoint]:
    """The endpoints from which the agent can be set to work."""
    return [one for one in case.design.all(Endpoint) if agent.name in case.design.reach(one.name)]


def budget_of(case: Case, part: str) -> Budget | None:
    """The budget of a runner or agent."""
    found = case.design.by_name.get(part)
    return found.budget if isinstance(found, Handler | Endpoint | Schedule | Agent) else None


def cycles(links: dict[str, set[str]]) -> Iterator[list[str]]:
    """The shortest way back to each node, one for each set of nodes; each cycle begins with its first name."""
    seen: set[frozenset[str]] = set()
    for start in sorted(links):
        way = _way_back(links, start)
        if way and frozenset(way) not in seen:
            seen.add(frozenset(way))
            first = way.index(min(way))
            yield way[first:] + way[:first]


def _way_back(links: dict[str, set[str]], start: str) -> list[str]:
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop(0)
        for following in sorted(links.get(way[-1], ())):
            if following == start:
                return way
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []
