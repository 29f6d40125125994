"""Trifecta: an agent reads what strangers wrote, reads private data, and may act outside."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.labels import Label
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.spreading import Stage
from parti.rules.reach import PRIVATE, effects_of


def look(case: Case) -> Iterator[Hit]:
    """One finding for each such agent, with both ways in and the effect."""
    for agent in case.design.all(Agent):
        known = case.labels.at(agent.name, "in")
        private = next((label for label in PRIVATE if label in known), None)
        effects = [one for one in effects_of(case.design, agent) if not case.holds_off(agent.name, one.name)]
        if Label.UNTRUSTED in known and private is not None and effects:
            way = case.way(agent.name, "in", Label.UNTRUSTED) + case.way(agent.name, "in", private)
            end = Stage(effects[0].place, f"`{agent.name}` may call `{effects[0].name}`", case.gate_of(effects[0].name))
            what = f"`{agent.name}` reads what strangers wrote and what is {private}, and may call `{effects[0].name}`"
            yield Hit(agent.name, agent.place, what, (*way, end))


RULE = Rule(
    code="R101",
    name="trifecta",
    severity="critical",
    says="An agent reads untrusted text and private data, and may have an effect that nobody approves.",
    why="Whoever writes the text can have the agent do with the private data what they like.",
    standard="Meta, Agents Rule of Two (2025); Beurer-Kellner et al., Design Patterns for Securing LLM Agents (2025); OWASP LLM01, LLM06",
    fix="give one of the three to another agent, put a guard before it, or add approval= to the tool",
    look=look,
)
