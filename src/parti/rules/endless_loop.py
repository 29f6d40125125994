"""Endless loop: each event of a topic surely begets another one."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.fields import items_of
from parti.design.handler import Handler
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.spreading import Stage
from parti.rules.reach import cycles


def look(case: Case) -> Iterator[Hit]:
    """One finding for each cycle of handlers whose result is never None."""
    handlers = [
        one for one in case.design.all(Handler) if one.to and type(None) not in items_of(one.function.returns.kind)
    ]
    links: dict[str, set[str]] = {}
    for handler in handlers:
        links.setdefault(handler.topic, set()).add(handler.name)
        links[handler.name] = {handler.to or ""}
    for way in cycles(links):
        stages = tuple(Stage(case.design.by_name[name].place, f"`{name}`") for name in way)
        first = next(handler for handler in handlers if handler.name in way)
        what = f"{' -> '.join(f'`{name}`' for name in [*way, way[0]])} never ends"
        yield Hit(first.name, first.place, what, stages)


RULE = Rule(
    code="R302",
    name="endless-loop",
    severity="high",
    says="Handlers answer events of topics with events of the same topics, always.",
    why="The first event never comes to an end, and each one after it adds another loop.",
    standard="Hohpe and Woolf, Enterprise Integration Patterns (2003)",
    fix="return None where it ends (and say so in the type), or publish to another topic",
    look=look,
)
