"""Hot key: a topic has so few keys that its events stand in line."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.fields import fields_of, record_in, values_max
from parti.design.handler import Handler
from parti.design.topic import Topic
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each topic."""
    for topic in case.design.all(Topic):
        record = record_in(topic.payload.kind)
        values = values_max(fields_of(record).get(topic.key)) if record else None
        wide = [
            one for one in case.design.all(Handler) if one.topic == topic.name and values and one.concurrency > values
        ]
        if wide:
            what = f"the key `{topic.key}` of `{topic.name}` has {values} values: so many events at once, not {wide[0].concurrency}"
            yield Hit(topic.name, topic.place, what)


RULE = Rule(
    code="R309",
    name="hot-key",
    severity="medium",
    says="The key of a topic has fewer values than its handler could handle at once.",
    why="Events of one key are handled one after the other: few keys are a narrow door.",
    standard="Kleppmann, Designing Data-Intensive Applications (2017), ch. 6",
    fix="choose a key of many values, such as an id",
    look=look,
)
