"""`parti topics`: what topics hold, and how far their handlers are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from parti.cli.options import AppOption, JsonOption, StoreOption, again, target_of
from parti.cli.output import moment, print_json, print_table, say, say_next

if TYPE_CHECKING:
    from parti.verbs.topics import TopicFacts


def topics(app: AppOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List topics: events kept, partitions, the oldest event, how far handlers lag, dead letters."""
    from parti.verbs.topics import topics as verb  # noqa: PLC0415 help and completion do without

    found = asyncio.run(verb(target_of(app, store)))
    if as_json:
        print_json(found)
        return
    if not found:
        say("there are no topics")
        return
    print_table(("topic", "events", "partitions", "oldest", "lag", "dead"), map(_row, found), numbers=(1, 2, 5))
    dead = next((topic for topic in found if topic.dead), None)
    say_next(again("runs --state dead" if dead else f"publish {found[0].topic} events.jsonl", app, store))


def _row(topic: TopicFacts) -> tuple[str, ...]:
    lag = ", ".join(f"{handler} {count}" for handler, count in topic.lag.items())
    return (
        topic.topic, str(topic.events), str(len(topic.partitions)), moment(topic.oldest), lag, str(topic.dead)
    )  # fmt: skip
