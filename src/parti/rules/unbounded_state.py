"""Unbounded state: events or runs are kept for ever."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.topic import Topic
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each topic, and for the system. Rows are one for each key, facts of a memory are counted."""
    for topic in case.design.all(Topic):
        if topic.retain is None and topic.dead_letters:
            yield Hit(topic.name, topic.place, f"the events of `{topic.name}` are kept for ever")
    if case.design.retain is None:
        yield Hit(case.design.name, case.design.place, "runs and their journals are kept for ever")


RULE = Rule(
    code="R404",
    name="unbounded-state",
    severity="medium",
    says="A topic without retain=, or a system that keeps its runs for ever.",
    why="What only grows fills the disk one day, and makes every backup and migration slower until then.",
    standard="Kreps, The Log (2013)",
    fix='give retain=, as long as the events are needed: retain="7y"',
    look=look,
)
