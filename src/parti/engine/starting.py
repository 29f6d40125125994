"""Starting: checking that store and design fit, and taking up what the last process left open."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.design.topic import Topic
from parti.engine import evolution
from parti.engine.calls import follow, runner_of
from parti.engine.jobs import Job, lane_of
from parti.engine.subscription import Partition, Subscription
from parti.errors import RunError
from parti.ports.store import State

if TYPE_CHECKING:
    from parti.engine.loop import Engine

log = logging.getLogger("parti")


def allowed_arrows(design: Design) -> Mapping[str, frozenset[str]]:
    """For each runner: "kind target" of every arrow that it, or what it calls, has."""
    runners = (part.name for part in design.parts if isinstance(part, Handler | Endpoint | Schedule))
    return {
        runner: frozenset(
            {f"{arrow.kind} {arrow.target}" for name in design.reach(runner) for arrow in design.arrows_from(name)}
            | {""}
        )
        for runner in runners
    }


async def start(engine: Engine) -> None:
    """Fill the engine from its store. Raises P403, P406 where the design does not fit what is stored."""
    store, batch = engine.store, engine.commits.batch
    notes = await evolution.check(engine.design, store)
    secret = await store.note("secret")
    if secret is None:
        secret = engine.chance.token().encode()
        notes["secret"] = secret
    engine.services.secret = secret
    batch.notes.update(notes)
    for version in await store.models():
        engine.services.latest[version.model] = version
    await _subscribe(engine)
    await _take_up(engine)
    if notes:
        await engine.commits.durable()


async def _subscribe(engine: Engine) -> None:
    ends, cursors = await engine.store.ends(), await engine.store.cursors()
    engine.ends.update({place: end for place, (_, end) in ends.items()})
    for handler in engine.design.all(Handler):
        topic = engine.design.get(Topic, handler.topic)
        partitions = []
        for number in range(topic.partitions):
            first, end = ends.get((topic.name, number), (0, 0))
            low = max(first, cursors.get((handler.name, topic.name, number), 0))
            partitions.append(Partition(number, low, end))
        moved = partial(engine.commits.touch, 0)
        subscription = Subscription(handler, partitions, engine.store, moved, engine.change)
        engine.runs.subscriptions[handler.name] = subscription
        engine.readers.setdefault(topic.name, []).append(subscription)


async def _take_up(engine: Engine) -> None:
    """Put every open run back in line, in the order of creation; those that had begun come first, as they had their turn."""
    questions = await engine.store.questions(limit=1_000_000)
    asked = {question.run for question in questions}
    strangers: dict[str, int] = {}
    for record in sorted(await engine.store.open_runs(), key=lambda record: not record.started):
        try:
            runner = runner_of(engine, record.part)
        except RunError:
            strangers[record.part] = strangers.get(record.part, 0) + 1
            continue
        fresh = record._replace(state=State.QUEUED) if record.state is State.RUNNING else record
        job = Job(runner, fresh, lane_of(runner, fresh, engine.design.groups[runner.name]), engine.clock.now())
        job.stored = True
        job.asks = record.id in asked
        _count(engine, job)
        follow(engine, job)
        engine.runs.enter(job)
    for question in questions:
        if question.run in engine.runs.jobs:
            engine.resting.asked(question)
    for part, count in strangers.items():
        log.warning("%d open runs of `%s` wait: the design has no such part any more", count, part)


def _count(engine: Engine, job: Job) -> None:
    job.aside = job.record.state is not State.QUEUED
    subscription = engine.runs.subscription_of(job)
    if subscription:
        subscription.mark(job.record.topic, job.record.partition, job.record.offset)
        subscription.aside += job.aside
        subscription.loaded += not job.aside
