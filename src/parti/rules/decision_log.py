"""Decision log: a decision leaves no journal, or one that is kept for too short a time."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.endpoint import Endpoint
from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.rules.base import Case, Hit, Rule
from parti.units import duration_text, seconds


def look(case: Case) -> Iterator[Hit]:
    """One finding for each decision, which says what is missing."""
    for decision in case.design.decisions:
        part = case.design.by_name[decision.by]
        if isinstance(part, Endpoint) and not part.durable:
            yield Hit(part.name, part.place, f"`{decision.name}` is decided in `{part.name}`, which is not journaled")
            continue
        kept = case.design.retain
        topic = case.design.by_name.get(part.to or "") if isinstance(part, Handler) else None
        if isinstance(topic, Topic) and topic.retain is not None:
            kept = topic.retain if kept is None else min(kept, topic.retain)
        if kept is not None and kept < seconds("183d"):
            what = f"how `{decision.name}` was decided is kept for {duration_text(kept)}, not for six months"
            yield Hit(part.name, decision.place, what)


RULE = Rule(
    code="R209",
    name="decision-log",
    severity="high",
    says="A decision is not journaled, or its journal is kept for less than six months.",
    why="Who wants to know later how it came about needs its input, the version of the model and the answer.",
    standard="AI Act Art. 12, 19 and 26(6)",
    fix='decide in a durable part, and keep runs and decisions for six months at least: retain="2y"',
    look=look,
)
