"""Joining a recorded run with two versions of its design: what the newer one means for it, as far as that can be told.

Nothing is run. What the journal holds is looked up in the new design: parts that are gone, arguments and keys that would be
others, answers that cannot be read. Where code that the run works by changed, that is said, and nothing is promised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from parti.design.compatibility import misfits
from parti.design.diff import Diff, diff
from parti.design.graph import Design
from parti.design.places import Place
from parti.design.sketch import PartSketch, Sketch
from parti.design.table import Table
from parti.design.topic import Topic
from parti.engine.accounts import is_under
from parti.engine.joining_code import RUNNERS, matters, of_code
from parti.engine.joining_parts import FINISH, of_asked, of_write
from parti.engine.rows import event_value
from parti.engine.verdicts import Concern, Standing, Verdict, Work, standing
from parti.errors import PartiError, PayloadError
from parti.journal.entries import Entry, Kind

WRITES: Final = (Kind.INTENT, Kind.DONE, Kind.UNDONE)


@dataclass(frozen=True)
class Join:
    """Two versions of a system and what its store holds. `design` is the new one's own.

    `stored` are the JSON schemas that were ever stored under, by part; `versions` the models' versions that there are.
    """

    old: Sketch
    new: Sketch
    design: Design
    stored: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    versions: frozenset[tuple[str, int]] = frozenset()
    changes: Diff = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", diff(self.old, self.new))

    def of(self, work: Work) -> Standing:
        """What the new version means for one run."""
        runner = self.new.parts.get(work.record.part)
        if runner is None or runner.kind not in RUNNERS:
            return standing(work, [self._without_runner(work)])
        concerns = [*self._start(work), *self._input(work, runner)]
        concerns += [*self._journal(work, runner), *self._agents(work, runner)]
        if all(concern.verdict is Verdict.UNKNOWN for concern in concerns):
            concerns += of_code(self, work, runner)
        return standing(work, concerns)

    def _without_runner(self, work: Work) -> Concern:
        name = work.record.part
        now = self.changes.new_name(name)
        why = f"there is no `{name}` any more" + (f" (it is called `{now}` now)" if now else "")
        fix = f"keep `{name}` until its runs have ended: `parti runs --part {name}`"
        return Concern(Verdict.PIN, name, why, self.place(name), fix)

    def place(self, name: str) -> Place:
        """Where a part stands now; for one that is gone, where it stood."""
        known = self.new.parts.get(self.changes.new_name(name) or name) or self.old.parts.get(name)
        return known.place if known else Place("", 0)

    def _start(self, work: Work) -> Iterator[Concern]:
        """What the system would not start on: then no run goes on, whatever it uses."""
        for part in self._kept if work.open else ():
            unread = self.unread(part)
            if unread:
                yield unread
        for topic in self.design.all(Topic) if work.open else ():
            before = self.old.parts.get(topic.name)
            if before and before.kind == "topic" and before.facts["partitions"] != topic.partitions:
                why = f"`{topic.name}` has other partitions than it was stored with (P406)"
                fix = f"write partitions={before.facts['partitions']}"
                yield Concern(Verdict.REFUSE, topic.name, why, topic.place, fix)

    # What it was started with

    def _input(self, work: Work, runner: PartSketch) -> Iterator[Concern]:
        record = work.record
        if not record.topic:
            yield from self._arguments(work, runner)
            return
        topic, name = self.design.by_name.get(record.topic), record.topic
        if not isinstance(topic, Topic):
            now = self.changes.new_name(name)
            why = f"its event lies in `{name}`, which is gone" + (f" (there is `{now}` now)" if now else "")
            yield Concern(Verdict.PIN, name, why, self.place(name), f"keep `{name}` until its events are handled")
            return
        if runner.facts["topic"] != name:
            yield Concern(Verdict.PIN, runner.name, f"it handles `{runner.facts['topic']}` now", runner.place, FINISH)
        yield from self._topic(work, topic)

    def _arguments(self, work: Work, runner: PartSketch) -> Iterator[Concern]:
        part = self.design.by_name[runner.name]
        try:
            part.function.arguments.decode(work.record.arguments)  # type: ignore[union-attr]
        except PayloadError as wrong:
            why = f"what it was called with cannot be read: {wrong.what}"
            yield Concern(Verdict.REFUSE, runner.name, why, runner.place, "give the new argument or field a default")

    def _topic(self, work: Work, topic: Topic) -> Iterator[Concern]:
        before = self.old.parts.get(topic.name)
        if before and before.kind == "topic" and before.facts["key"] != topic.key:
            why = f"`{topic.name}` has the key `{topic.key}` now: its events would be in line with others"
            yield Concern(Verdict.PIN, topic.name, why, topic.place, FINISH)
        unread = self.unread(topic)
        if unread:
            yield unread
        elif work.event is None and work.open:
            fix = "publish it again, and cancel the run"
            yield Concern(Verdict.REFUSE, topic.name, "its event is kept no longer", topic.place, fix)
        elif work.event is not None:
            try:
                event_value(topic, work.event)
            except PartiError as wrong:
                why, fix = f"its event cannot be read: {wrong.what}", "let upcast= make a valid value of it"
                yield Concern(Verdict.REFUSE, topic.name, why, topic.place, fix)

    def unread(self, part: Topic | Table, number: int = 0) -> Concern | None:
        """Why the system would not start on what is stored (P403); None where it would."""
        said, fix = self._misfits.get(part.name), "give the field a default, keep its type, or declare upcast="
        return Concern(Verdict.MIGRATE, part.name, said, part.place, fix, number) if said else None

    @cached_property
    def _kept(self) -> list[Topic | Table]:
        return [*self.design.all(Topic), *self.design.all(Table)]

    @cached_property
    def _misfits(self) -> Mapping[str, str]:
        """What cannot be read of the topics and tables that declare no upcast."""
        found: dict[str, str] = {}
        for part in self._kept:
            for schema in self.stored.get(part.name, ()) if part.upcast is None else ():
                for name, why in misfits(schema, part.payload.schema):
                    found.setdefault(part.name, f"what `{part.name}` holds cannot be read: {name} {why} (P403)")
        return found

    # What its journal holds

    def _journal(self, work: Work, runner: PartSketch) -> Iterator[Concern]:
        over = self._insides(work, over=True)
        for number, entry in enumerate(work.entries, 1):
            if any(is_under(entry.branch, path) for path in over) and entry.kind not in WRITES:
                continue  # an agent that is done is not asked again
            match entry.kind:
                case Kind.STEP | Kind.READ | Kind.MEMORY:
                    yield from of_asked(self, runner, entry, number)
                case Kind.FAIL if entry.attempt == work.record.attempt:
                    yield from of_asked(self, runner, entry, number)
                case Kind.INTENT if not self._is_done(work, entry):
                    yield from of_write(self, runner, entry, number, entry)
                case Kind.DONE:
                    yield from of_write(self, runner, entry, number, self._intent(work, entry))
                case Kind.PIN:
                    yield from self._pinned(entry, number)
                case Kind.PUT | Kind.DELETE | Kind.PUBLISH:
                    yield from self._left(entry, number)

    def _is_done(self, work: Work, intent: Entry) -> bool:
        """Whether it is known what became of a write."""
        known = (e.kind for e in reversed(work.entries) if e.kind in WRITES and _same_write(e, intent))
        return bool(next(known) != Kind.INTENT)

    def _intent(self, work: Work, entry: Entry) -> Entry:
        """The entry that holds the arguments of a write."""
        return next((e for e in work.entries if e.kind == Kind.INTENT and _same_write(e, entry)), entry)

    def _pinned(self, entry: Entry, number: int) -> Iterator[Concern]:
        if entry.part in self.new.parts and (entry.part, entry.answer) not in self.versions:
            why = f"it works with version {entry.answer} of `{entry.part}`, which is gone"
            yield Concern(Verdict.REFUSE, entry.part, why, self.place(entry.part), "restore the version", number)

    def _left(self, entry: Entry, number: int) -> Iterator[Concern]:
        """What an ended run left behind: where, and by which key."""
        before, now = self.old.parts.get(entry.part), self.new.parts.get(entry.part)
        if before is None or before.kind not in ("topic", "table"):
            return
        if now is None or now.kind != before.kind or now.facts["key"] != before.facts["key"]:
            what = "is gone" if now is None else "has another key now"
            yield Concern(Verdict.PIN, entry.part, f"`{entry.part}` {what}", self.place(entry.part), FINISH, number)

    def _agents(self, work: Work, runner: PartSketch) -> Iterator[Concern]:
        """Agents that were at work: their turns are known by all that they are shown."""
        turn = self._under_way(work)
        if not turn:
            return
        for name in sorted(self.old.used_by(runner.name)):
            changed = [one for one in self.changes.of(name) if one.how != "changed" or matters(one.fact)]
            if self.is_a(name, "agent") and changed:
                why = f"`{name}` was at work, and {changed[0]}: its turns would be paid again"
                yield Concern(Verdict.PIN, name, why, self.place(name), FINISH, turn)

    def _under_way(self, work: Work) -> int:
        """The number of the latest turn of agents whose outcome is not journaled; 0 where there is none."""
        paths = self._insides(work, over=False)
        return max(
            (n for n, e in enumerate(work.entries, 1) if e.branch in paths and self.is_a(e.part, "llm")), default=0
        )

    def _insides(self, work: Work, *, over: bool) -> set[str]:
        """The paths of agents that are done, or of those that may be at work.

        Where a branch has more insides with turns than outcomes, any of them may have none yet.
        """
        insides = {e.branch for e in work.entries if "/" in e.branch and self.is_a(e.part, "llm")}
        outcomes = Counter(
            e.branch
            for e in work.entries
            if self.is_a(e.part, "agent") and (e.kind == Kind.STEP or e.attempt == work.record.attempt)
        )
        outer = Counter(path.rpartition("/")[0] for path in insides)
        return {path for path in insides if (outer[o := path.rpartition("/")[0]] <= outcomes[o]) is over}

    def is_a(self, name: str, kind: str) -> bool:
        part = self.old.parts.get(name)
        return bool(part and part.kind == kind)


def _same_write(one: Entry, other: Entry) -> bool:
    return (one.part, one.branch) == (other.part, other.branch)
