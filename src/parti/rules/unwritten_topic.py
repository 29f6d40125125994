"""Unwritten topic: a handler waits for events that nothing publishes."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.topic import Topic
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each topic, dead letters not counted."""
    written = {arrow.target for arrow in case.design.arrows if arrow.kind == "publishes"}
    for topic in case.design.all(Topic):
        if topic.dead_letters and topic.name not in written:
            yield Hit(topic.name, topic.place, f"nothing publishes to `{topic.name}`")


RULE = Rule(
    code="R304",
    name="unwritten-topic",
    severity="medium",
    says="A topic has no part that publishes to it.",
    why="Its handlers never run, unless somebody types `parti publish`.",
    standard="Kleppmann, Designing Data-Intensive Applications (2017), ch. 11",
    fix="publish to it, add a source, or remove it",
    look=look,
)
