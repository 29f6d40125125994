"""Confused deputy: a caller from outside has an agent act with the rights of the service."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.tool import Tool
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.spreading import Stage
from parti.rules.reach import effects_of, started_outside


def look(case: Case) -> Iterator[Hit]:
    """One finding for each agent and tool."""
    for agent in case.design.all(Agent):
        door = started_outside(case, agent)
        for part in effects_of(case.design, agent) if door else ():
            if door and not (isinstance(part, Tool) and part.principal):
                way = (
                    Stage(door.place, f"anybody may call `{door.name}`"),
                    Stage(agent.place, f"`{door.name}` has `{agent.name}` work"),
                    Stage(part.place, f"`{agent.name}` may call `{part.name}` as the service"),
                )
                yield Hit(part.name, part.place, f"callers of `{door.name}` act by `{part.name}` as the service", way)


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
