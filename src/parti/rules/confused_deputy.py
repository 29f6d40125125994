"""Confused deputy: a caller from outside has an agent act with the rights of the service."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.dataflow import Slot
from parti.design.endpoint import Endpoint
from parti.design.labels import Label
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.spreading import Stage
from parti.rules.reach import doors_to, effects_of


def look(case: Case) -> Iterator[Hit]:
    """One finding for each agent and tool."""
    for agent in case.design.all(Agent):
        doors = doors_to(case, agent)
        for part in effects_of(case.design, agent) if doors else ():
            door = next((one for one in doors if not _is_guarded(case, one, agent, part)), None)
            if door and not (isinstance(part, Tool) and part.principal):
                way = (
                    Stage(door.place, f"anybody may call `{door.name}`"),
                    Stage(agent.place, f"`{door.name}` has `{agent.name}` work"),
                    Stage(part.place, f"`{agent.name}` may call `{part.name}` as the service", case.gate_of(part.name)),
                )
                yield Hit(part.name, part.place, f"callers of `{door.name}` act by `{part.name}` as the service", way)


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
