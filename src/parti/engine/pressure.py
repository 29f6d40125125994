"""Back-pressure: which topics a runner fills, so that it takes up nothing more while they are full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.design.topic import Topic
from parti.errors import Overloaded

if TYPE_CHECKING:
    from parti.engine.loop import Engine


def downstream(design: Design) -> Mapping[str, tuple[Topic, ...]]:
    """For each handler, endpoint and schedule, the topics it publishes to and somebody reads.

    Those whose events can lead back to a handler are left out: it would wait for itself.
    """
    runners = (part for part in design.parts if isinstance(part, Handler | Endpoint | Schedule))
    return {runner.name: tuple(_filled(design, runner)) for runner in runners}


def _filled(design: Design, runner: Handler | Endpoint | Schedule) -> list[Topic]:
    read = {other.topic for other in design.all(Handler)}
    names = sorted(published(design, runner.name) & read)
    if isinstance(runner, Handler):
        names = [name for name in names if not _leads_to(design, name, runner.topic)]
    return [design.get(Topic, name) for name in names]


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


def lag_of(engine: Engine, topic: Topic) -> int:
    """How many events of the topic its slowest handler has not put on record."""
    return max(
        (
            sum(
                max(0, engine.ends.get((topic.name, number), 0) - partition.watermark.low)
                for number, partition in subscription.partitions.items()
            )
            for subscription in engine.readers.get(topic.name, ())
        ),
        default=0,
    )


def full_one(engine: Engine, runner: str) -> Topic | None:
    """A topic that `runner` fills and that holds as much as it may."""
    return next((topic for topic in engine.downstream[runner] if lag_of(engine, topic) >= topic.backlog), None)


def too_much(topic: Topic, lag: int) -> Overloaded:
    """The refusal of what would fill the topic further."""
    return Overloaded(
        "P503",
        f"`{topic.name}` has {lag} events that its slowest handler has not taken up; it holds {topic.backlog}",
        place=topic.place,
        fix="wait, make the handler faster, or raise backlog=",
        retry_after=5.0,
    )
