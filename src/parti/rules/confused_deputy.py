"""Confused deputy: a caller from outside has an agent act with the rights of the service."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from parti.design.agent import Agent
from parti.design.dataflow import Slot
from parti.design.endpoint import Endpoint
from parti.design.labels import Label
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.spreading import Stage
from parti.rules.reach import acts


def look(case: Case) -> Iterator[Hit]:
    """One finding for each door and tool."""
    design = case.design
    for door in design.all(Endpoint):
        reached = design.reach(door.name)
        agents = [agent for agent in design.all(Agent) if agent.name in reached]
        for part in [part for part in design.parts if part.name in reached and isinstance(part, Tool | ToolServer)]:
            if not acts(part) or (isinstance(part, Tool) and part.principal):
                continue
            ways = [_way(case, door, agent, part) for agent in agents if not _is_guarded(case, door, agent, part)]
            way = min((way for way in ways if way), key=len, default=())
            if way:
                what = f"callers of `{door.name}` act by `{part.name}` as the service"
                yield Hit(part.name, part.place, what, way, about=door.name)


def _way(case: Case, door: Endpoint, agent: Agent, part: Tool | ToolServer) -> tuple[Stage, ...]:
    """How a call comes to the tool by way of the agent; () where it does not."""
    there, further = case.design.calls_to(door.name, agent.name), case.design.calls_to(agent.name, part.name)
    if not there or not further:
        return ()
    names = [*there, *further[1:]]
    stages = [Stage(door.place, f"anybody may call `{door.name}`", begins=door.name)]
    for before, name in pairwise(names[:-1]):
        stages.append(Stage(case.design.by_name[name].place, f"`{before}` has `{name}` work"))
    last = f"`{names[-2]}` may call `{part.name}` as the service"
    return (*stages, Stage(part.place, last, case.gate_of(part.name)))


def _is_guarded(case: Case, door: Endpoint, agent: Agent, part: Tool | ToolServer) -> bool:
    """Whether a gate stands before what callers have the agent do: where all that they say is a stranger's word."""
    said = Slot(door.name, "in") in case.labels.slots(door.name, "in", Label.UNTRUSTED)
    return said and case.holds_off(agent.name, part.name)


RULE = Rule(
    code="R112",
    name="confused-deputy",
    severity="high",
    says="A caller from outside has an agent act by a tool that uses the rights of the service, not the caller's.",
    why="The agent does for anybody what only some may have done.",
    standard="Hardy, The Confused Deputy (1988); OWASP ASI03, ASI07",
    fix="hand on who asks (principal=) and check their rights in the tool, or add approval=",
    look=look,
)
