"""Back-pressure: which topics a handler fills, so that it reads no further while they are full."""

from __future__ import annotations

from collections.abc import Mapping

from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.topic import Topic


def downstream(design: Design) -> Mapping[str, tuple[Topic, ...]]:
    """For each handler, the topics it publishes to and somebody reads.

    Those whose events can lead back to the handler are left out: it would wait for itself.
    """
    return {handler.name: tuple(_filled(design, handler)) for handler in design.all(Handler)}


def _filled(design: Design, handler: Handler) -> list[Topic]:
    read = {other.topic for other in design.all(Handler)}
    names = sorted(published(design, handler.name) & read)
    return [design.get(Topic, name) for name in names if not _leads_to(design, name, handler.topic)]


def published(design: Design, part: str) -> set[str]:
    """The topics that `part` publishes to, directly or through what it calls."""
    return {arrow.target for name in design.reach(part) for arrow in design.arrows_from(name, "publishes")}


def _leads_to(design: Design, topic: str, goal: str) -> bool:
    """Whether events of `topic` can cause events of `goal`."""
    seen, waiting = {topic}, [topic]
    while waiting:
        here = waiting.pop()
        if here == goal:
            return True
        for handler in design.all(Handler):
            fresh = published(design, handler.name) - seen if handler.topic == here else set()
            seen |= fresh
            waiting.extend(fresh)
    return False
