"""Against another version: what changed, and what that means for every run under way and for those that were recorded."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json

from parti.design.diff import Diff
from parti.design.graph import Design
from parti.design.sketch import Sketch
from parti.engine.joining import Join
from parti.engine.replaying import Replayed
from parti.engine.verdicts import WORST, Concern, Standing, Verdict, Work, standing
from parti.errors import UsageError
from parti.journal.whole import entries_of
from parti.ports.store import ENDED, Event, RunRecord, Store
from parti.verbs.other_version import other_version
from parti.verbs.sketching import sketch
from parti.verbs.target import Target
from parti.wiring import Apart, default_path

ASK_THE_SAME: Final = "let the old code finish this run, or let the new code ask what the old one asked"


@dataclass(frozen=True, slots=True)
class Against:
    """What changed, and where each run stands: open ones first, then the recorded ones, the latest first.

    `recorded` is how many ended runs there are in all, of which at most the limit was looked at; `stored` is whether there
    is a store.
    """

    changes: Diff
    standings: tuple[Standing, ...]
    recorded: int
    stored: bool

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many runs have which verdict."""
        return Counter(one.verdict for one in self.standings)

    @property
    def all_resume(self) -> bool:
        """Whether every run that was looked at goes on as it would have."""
        return all(one.verdict is Verdict.RESUMES for one in self.standings)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "changes": [change.as_json() for change in self.changes.changes],
            "runs": [one.as_json() for one in self.standings],
            "counts": {str(verdict): self.counts.get(verdict, 0) for verdict in Verdict},
            "recorded": self.recorded,
            "stored": self.stored,
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store holds that a change may concern."""

    works: tuple[Work, ...]
    recorded: int
    schemas: Mapping[str, tuple[Mapping[str, Any], ...]]
    versions: frozenset[tuple[str, int]]
    notes: Mapping[str, bytes]


def against(target: Target, other: str, *, limit: int = 200, replay: bool = False) -> Against:
    """Compare the app with its version `other`, and join both with every open run and the `limit` latest ended ones.

    With `replay` each is replayed by the present code, in a virtual world without an outside. Raises P508, P509, P510.
    """
    if target.app is None:
        raise UsageError("P508", "--against needs the app", fix="name the app file")
    old, new = other_version(target.app, other), sketch(target.system)
    named = target.given_store is not None
    moved = None if named else _store_of(target.app, old, new)
    target = target if moved is None else Target(target.app, moved)
    kept = asyncio.run(_read(target, limit)) if named or target.path.exists() else None
    found = compare(target.design, old, new, kept, replay=replay)
    return found if moved is None else _elsewhere(found, moved, new, target.design)


def _store_of(app: Path, old: Sketch, new: Sketch) -> Path | None:
    """Where the old version keeps its work, if the new one would open another file."""
    path = default_path(app, old.name)
    return path if old.name != new.name and path.exists() else None


def _elsewhere(found: Against, path: Path, new: Sketch, design: Design) -> Against:
    """The same, with every open run left behind: the new version opens another file."""
    why = f"it lies in {path.name}, and `{new.name}` would open {default_path(path, new.name).name}"
    fix = f"start the new version with --store {path.name}, or keep the system's name"
    concern = Concern(Verdict.MIGRATE, new.name, why, design.place, fix)
    return replace(found, standings=tuple(_left(one, concern) if one.open else one for one in found.standings))


def _left(one: Standing, concern: Concern) -> Standing:
    concerns = tuple(sorted((*one.concerns, concern), key=lambda each: WORST.index(each.verdict)))
    return replace(one, verdict=concerns[0].verdict, concerns=concerns)


def compare(design: Design, old: Sketch, new: Sketch, kept: Stored | None, *, replay: bool) -> Against:
    """The same, of what is loaded already: `design` is the one whose sketch is `new`."""
    if kept is None:
        return Against(Join(old, new, design).changes, (), 0, stored=False)
    join = Join(old, new, design, kept.schemas, kept.versions)
    found = [join.of(work) for work in kept.works]
    if replay:
        replays = Apart(design, kept.notes).replay(kept.works)
        each = zip(kept.works, found, replays, strict=True)
        found = [with_replay(join, work, one, replayed) for work, one, replayed in each]
    return Against(join.changes, tuple(found), kept.recorded, stored=True)


def with_replay(join: Join, work: Work, one: Standing, replayed: Replayed) -> Standing:
    """A standing with what a replay found: it decides where the design alone could not, and never makes a verdict better."""
    known = [concern for concern in one.concerns if concern.verdict is not Verdict.UNKNOWN]
    if replayed.verdict is not Verdict.RESUMES and not known:
        why, part = f"replayed: {replayed.why}", replayed.part or one.part
        known = [Concern(replayed.verdict, part, why, join.place(one.part), ASK_THE_SAME, replayed.entry)]
    return standing(work, known, replayed.why)


async def stored(store: Store, limit: int) -> Stored:
    """What a store holds of every open run, and of the `limit` latest that ended."""
    opened = await store.open_runs()
    ended = [run for state in ENDED for run in await store.runs(state=state, limit=limit)] if limit else []
    latest = sorted(ended, key=lambda run: (-run.created, run.id))[:limit]
    counts = await store.counts()
    return Stored(
        works=tuple([await _work(run, store) for run in (*opened, *latest)]),
        recorded=sum(count for (_, state), count in counts.items() if state.ended),
        schemas=_schemas(await store.notes("schema:")),
        versions=frozenset((one.model, one.version) for one in await store.models()),
        notes={**await store.notes("tools:"), "secret": await store.note("secret") or b""},
    )


async def _read(target: Target, limit: int) -> Stored:
    async with target.reading() as store:
        return await stored(store, limit)


async def _work(run: RunRecord, store: Store) -> Work:
    return Work(run, tuple(await entries_of(store, run.id)), await _event(run, store))


async def _event(run: RunRecord, store: Store) -> Event | None:
    if not run.topic:
        return None
    found = await store.events(run.topic, run.partition, start=run.offset, limit=1)
    return found[0] if found and found[0].offset == run.offset else None


def _schemas(notes: Mapping[str, bytes]) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """The schemas of each part, by the notes that the engine keeps of them."""
    found: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for key, body in notes.items():
        part = key.removeprefix("schema:").rpartition(":")[0]
        found[part] = (*found.get(part, ()), from_json(body))
    return found
