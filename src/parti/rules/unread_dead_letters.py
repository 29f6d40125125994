"""Unread dead letters: what could not be handled lies where nothing looks."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each topic that is handled."""
    handled = {handler.topic for handler in case.design.all(Handler)}
    for topic in case.design.all(Topic):
        if topic.dead_letters and topic.name in handled and topic.dead_letters not in handled:
            yield Hit(topic.name, topic.place, f"nothing handles the dead letters of `{topic.name}`")


RULE = Rule(
    code="R308",
    name="unread-dead-letters",
    severity="medium",
    says="Events that a handler gives up on go to dead letters that nothing handles.",
    why="They are found when somebody asks where their order is.",
    standard="Hohpe and Woolf, Enterprise Integration Patterns (2003), Dead Letter Channel",
    fix="handle them: @desk.on(orders.dead)",
    look=look,
)
