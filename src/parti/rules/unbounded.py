"""Unbounded: work goes round in a cycle, and nothing bounds it."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.handler import Handler
from parti.design.step import Step
from parti.design.tool import Tool
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.spreading import Stage
from parti.rules.reach import budget_of, cycles


def look(case: Case) -> Iterator[Hit]:
    """One finding for each cycle."""
    design = case.design
    links: dict[str, set[str]] = {}
    for arrow in design.arrows:
        if arrow.kind == "calls" and isinstance(design.by_name.get(arrow.source), Agent | Tool | Step):
            links.setdefault(arrow.source, set()).add(arrow.target)
    for handler in design.all(Handler):
        links.setdefault(handler.topic, set()).add(handler.name)
        reached = design.reach(handler.name)
        links[handler.name] = {a.target for a in design.arrows if a.kind == "publishes" and a.source in reached}
    for way in cycles(links):
        if not any(budget_of(case, name) for name in way):
            stages = tuple(Stage(design.by_name[name].place, f"`{name}`") for name in way)
            first = next((name for name in way if isinstance(design.by_name[name], Handler)), way[0])
            what = f"{' -> '.join(f'`{name}`' for name in [*way, way[0]])} is a cycle without a budget"
            yield Hit(first, design.by_name[first].place, what, stages)


RULE = Rule(
    code="R115",
    name="unbounded",
    severity="high",
    says="Agents call each other, or events beget each other, in a cycle without a budget.",
    why="One input can cost without end.",
    standard="OWASP LLM10, ASI08",
    fix="give one part of the cycle a budget=, or break the cycle",
    look=look,
)
