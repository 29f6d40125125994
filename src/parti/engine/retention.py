"""Retention: what was kept long enough, and what nothing needs any more, leaves the store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from parti.design.memory import Memory
from parti.design.topic import Topic
from parti.engine.facts import notes_before, place_of
from parti.errors import StoreFull
from parti.ports.operations import EVALUATIONS, key_of_evaluation
from parti.units import Seconds

if TYPE_CHECKING:
    from parti.engine.loop import Engine

LOOKS: Final[Seconds] = 60.0
"""How far apart it is looked at what may go."""

RUNS_AT_ONCE: Final = 500
"""Runs that are forgotten in one transaction, so that nobody waits long for the next."""

RESULTS_AT_ONCE: Final = 20
"""Results of evaluations that are read to be forgotten: each may be large."""

PUBLICATIONS: Final = "publishing:"
"""Notes that say when each publication with an idempotency key was made, oldest first; each names the note that remembers it."""

log = logging.getLogger("parti")


def note_of_time(at: Seconds, publication: str) -> str:
    """The name of the note that says when a publication was made; names sort by time."""
    return f"{PUBLICATIONS}{at:017.6f}:{publication}"


async def keep_no_longer(engine: Engine) -> None:
    """Again and again: delete old events that no run needs, old runs that have ended, old idempotency keys, and old results."""
    while True:
        if not engine.commits.trouble:
            try:
                await _expire(engine, [topic for topic in engine.design.all(Topic) if topic.retain is not None])
                for memory in engine.design.all(Memory):
                    if memory.retain is not None:
                        await _forget_facts(engine, memory, engine.clock.now() - memory.retain)
                if engine.design.retain is not None:
                    await _forget(engine, engine.clock.now() - engine.design.retain)
            except StoreFull as full:  # deleting needs room as well
                log.warning("what is old cannot be deleted at the moment: %s", full.what)
        await engine.clock.wait(LOOKS)


async def _forget(engine: Engine, before: Seconds) -> None:
    """Forget runs that ended, and publications that were made, before `before`. A run that is being retried is not old."""
    more = True
    while more:
        async with engine.forgetting:
            if engine.retrying:
                return
            more = await engine.store.forget(before=before, limit=RUNS_AT_ONCE)
    old = note_of_time(before, "")
    while made := [note for note in await engine.store.notes(PUBLICATIONS, limit=RUNS_AT_ONCE) if note < old]:
        for note in made:
            engine.commits.batch.notes[note] = None
            engine.commits.batch.notes[note.split(":", 2)[2]] = None
        engine.commits.touch(2 * len(made))
        await engine.commits.durable()
    old = key_of_evaluation(before, "", "")
    while made := [note for note in await engine.store.notes(EVALUATIONS, limit=RESULTS_AT_ONCE) if note < old]:
        engine.commits.batch.notes.update(dict.fromkeys(made))
        engine.commits.touch(len(made))
        await engine.commits.durable()


async def _forget_facts(engine: Engine, memory: Memory, before: Seconds) -> None:
    """Delete the facts of a memory that were remembered before `before`, whoever remembered them."""
    prefix, end = notes_before(memory, before)
    commits = engine.commits
    while old := [note for note in await engine.store.notes(prefix, limit=RUNS_AT_ONCE) if note < end]:
        for note in old:
            place = place_of(note)
            commits.batch.rows[place] = commits.batch.notes[note] = None
            engine.services.overlay.put(place, None, commits.number)
        commits.touch(2 * len(old))
        await commits.durable()


async def _expire(engine: Engine, kept: list[Topic]) -> None:
    """Delete what nobody needs, as far as the disk knows it: runs leave memory before their end is on disk."""
    lows = {
        (topic.name, number): min(
            (reader.partitions[number].watermark.low for reader in engine.readers.get(topic.name, ())), default=2**62
        )
        for topic in kept
        for number in range(topic.partitions)
    }
    needed = _needed_events(engine)
    await engine.commits.durable()
    retried = _needed_events(engine)
    for topic in kept:
        assert topic.retain is not None
        before = engine.clock.now() - topic.retain
        for number in range(topic.partitions):
            place = (topic.name, number)
            low = min(lows[place], needed.get(place, 2**62), retried.get(place, 2**62))
            await engine.store.expire(topic.name, number, before_offset=low, before=before, limit=10_000)


def _needed_events(engine: Engine) -> dict[tuple[str, int], int]:
    """For each topic and partition: the offset of the first event whose run has not ended."""
    needed: dict[tuple[str, int], int] = {}
    for job in engine.runs.jobs.values():
        if job.record.topic:
            place = (job.record.topic, job.record.partition)
            needed[place] = min(job.record.offset, needed.get(place, job.record.offset))
    return needed
