"""What is said of runs comes true when the engine itself takes them up with the new code."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from against_kit import Levels, Version, advised, filled, version
from edits import edited

from parti.adapters.virtual import SeededChance, VirtualClock, VirtualStore, run_virtual
from parti.agents.loop import work as agents
from parti.engine.joining import Join
from parti.engine.loop import Engine
from parti.engine.verdicts import Verdict
from parti.errors import PartiError
from parti.journal.entries import Entry, Kind
from parti.ports.store import State
from parti.verbs.against import Stored, stored, with_replay
from parti.wiring import Apart

REFUSED = {"add a field without a default": "P403", "change a type": "P403"}
RUNS = 60
TAKEN_UP = (
    "nothing but a comment", "rename a step", "change a step's argument", "gather to sequence", "change a question's text",
    "change a tool's key", "change an agent's instructions", "reorder",
)  # fmt: skip


@pytest.mark.parametrize("name", TAKEN_UP)
def test_a_run_that_resumes_asks_for_nothing_that_its_journal_held(name: str, base: Version, tmp_path: Path) -> None:
    new = version(edited(name), tmp_path)
    before, after = run_virtual(lambda clock: gone_on(base, new, clock))
    join = Join(base.sketch, new.sketch, new.design, before.schemas, before.versions)
    replays = Apart(new.design, before.notes).replay(before.works)
    assert sum(work.open for work in before.works) > 10
    ended = {work.record.id: work for work in after.works}
    for work, replayed in zip(before.works, replays, strict=True):
        if not work.open:
            continue
        one, end = with_replay(join, work, join.of(work), replayed), ended[work.record.id]
        if one.verdict is Verdict.RESUMES:
            assert repeated(work.entries, end.entries) == set()
        elif end.record.state is State.DONE and replayed.verdict is not Verdict.RESUMES:
            assert len(end.entries) > len(work.entries), "it was said to ask anew"


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_migration_is_what_the_engine_does_not_start_on(name: str, base: Version, tmp_path: Path) -> None:
    new = version(edited(name), tmp_path)
    with pytest.raises(PartiError) as refusal:
        run_virtual(lambda clock: gone_on(base, new, clock))
    assert refusal.value.code == REFUSED[name]


async def gone_on(base: Version, new: Version, clock: VirtualClock) -> tuple[Stored, Stored]:
    """What a store holds of runs of `base`, and what of them once `new` took them up and everybody was answered."""
    store = VirtualStore(clock, SeededChance("disk"))
    await filled(base.design, store, clock, RUNS, random.Random(3))
    before = await stored(store, RUNS)
    engine = Engine(
        new.design, store=store, clock=clock, chance=SeededChance("engine"), offload=asyncio.to_thread,
        scorer=Levels(), llms=advised(new.design, clock), agents=agents,
    )  # fmt: skip
    await engine.start()
    for _ in range(2):
        await clock.wait(10.0)
        for question in await store.questions(limit=RUNS):
            if "?doubt-" not in question.id:
                await engine.answer(question.id, b"true", by="clerk")
    await clock.wait(10.0)
    await engine.stop()
    return before, await stored(store, 10 * RUNS)


def repeated(before: Iterable[Entry], after: Iterable[Entry]) -> set[tuple[str, str, str]]:
    """What was journaled before and was journaled again since."""
    return {identity for identity, count in asked(after).items() if 0 < asked(before)[identity] < count}


def asked(entries: Iterable[Entry]) -> Counter[tuple[str, str, str]]:
    kinds = (Kind.STEP, Kind.READ, Kind.DONE)
    return Counter((entry.branch, entry.part, entry.digest) for entry in entries if entry.kind in kinds)
