"""Unread topic: events are published, and nothing handles them."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.topic import Topic
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each topic, dead letters not counted."""
    read = {arrow.target for arrow in case.design.arrows if arrow.kind == "consumes"}
    for topic in case.design.all(Topic):
        if topic.dead_letters and topic.name not in read:
            yield Hit(topic.name, topic.place, f"nothing handles the events of `{topic.name}`")


RULE = Rule(
    code="R303",
    name="unread-topic",
    severity="medium",
    says="A topic has no handler.",
    why="What is published there is kept and never looked at; often a handler was forgotten.",
    standard="Kleppmann, Designing Data-Intensive Applications (2017), ch. 11",
    fix="handle it with @desk.on(...), or remove it",
    look=look,
)
