"""AI disclosure: people get text of a language model, and are not told so."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.endpoint import Endpoint
from parti.design.labels import Label
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each endpoint with a path. Agents that are exposed answer programs."""
    for endpoint in case.design.all(Endpoint):
        way = case.way(endpoint.name, "out", Label.GENERATED)
        if way and not endpoint.agent and not endpoint.discloses:
            what = f"callers of `{endpoint.name}` get what a language model wrote, and are not told so"
            yield Hit(endpoint.name, endpoint.place, what, way)


RULE = Rule(
    code="R210",
    name="ai-disclosure",
    severity="high",
    says="An endpoint answers with what a language model wrote, and does not say where people are told so.",
    why="People who talk to a machine must be told that it is one.",
    standard="AI Act Art. 50 (applies since 2 August 2026)",
    fix='say where they are told: discloses="by" (a field of the answer), or in words',
    look=look,
)
