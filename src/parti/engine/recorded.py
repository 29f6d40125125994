"""What a run's journal already answers: built once when a run is taken up again, consumed as it replays."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from parti.engine.accounts import Spent
from parti.errors import StoreError
from parti.journal.entries import Entry, Kind, decode
from parti.ports.store import JournalRow

FetchBlob = Callable[[str], Awaitable[bytes | None]]


@dataclass(slots=True)
class Write:
    """What is known of a write: "doubt" (it was about to start), "done" or "undone"."""

    state: str
    digest: str
    answer: bytes = b"null"
    starts: int = 0
    """How often it was about to start: each time may end in a doubt of its own."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a gate decided of a call, and the last answer before it to a call that is its equal."""

    entry: Entry
    after: Entry | None


@dataclass(slots=True)
class Recorded:
    """Answers by the identity of what was asked.

    Steps are known by (branch, part, digest of arguments) and their order; writes by tool and idempotency key.
    """

    steps: dict[tuple[str, str, str], deque[Entry]] = field(default_factory=lambda: defaultdict(deque))
    writes: dict[tuple[str, str], Write] = field(default_factory=dict)
    pins: dict[str, int] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)
    tainted: dict[str, str] = field(default_factory=dict)
    """Labels that the run has read, each with the part that gave it first."""
    tainted_in: dict[str, str] = field(default_factory=dict)
    """The branch in which each was read first."""
    gates: dict[tuple[str, str, str], deque[Decided]] = field(default_factory=dict)
    """What was decided of calls that would carry labels."""
    memories: list[Entry] = field(default_factory=list)
    """What was remembered and forgotten, in order."""

    def take(self, branch: str, part: str, digest: str) -> Entry | None:
        """The next journaled answer of that identity, if there is one left."""
        waiting = self.steps.get((branch, part, digest))
        return waiting.popleft() if waiting else None

    def take_gate(self, branch: str, part: str, digest: str) -> Entry | None:
        """What was decided of the next call of that identity. None where it was made before any gate was asked about it."""
        identity = (branch, part, digest)
        waiting = self.gates.get(identity)
        if not waiting:
            return None
        if any(answered is waiting[0].after for answered in self.steps.get(identity, ())):
            return None
        return waiting.popleft().entry

    def add(self, entry: Entry, attempt: int) -> None:
        """Learn one entry. Failures of earlier attempts are not answers: their steps are tried again."""
        match entry.kind:
            case Kind.STEP | Kind.READ | Kind.NOW | Kind.SLEEP | Kind.MEMORY:
                self._add_step(entry)
            case Kind.FAIL if entry.attempt == attempt:
                self.steps[entry.branch, entry.part, entry.digest].append(entry)
            case Kind.INTENT:
                self.writes[entry.part, entry.branch] = Write("doubt", entry.digest, starts=self.starts(entry) + 1)
            case Kind.DONE:
                self.writes[entry.part, entry.branch] = Write("done", entry.digest, to_json(entry.answer))
            case Kind.UNDONE:
                self.writes[entry.part, entry.branch] = Write("undone", entry.digest, starts=self.starts(entry))
            case Kind.PIN:
                self.pins[entry.part] = entry.answer
            case Kind.ASK:
                self.asked[entry.digest] = entry.answer
            case Kind.ANSWER if "withdrawn" in entry.answer:
                self.asked.pop(entry.digest, None)
            case Kind.ANSWER:
                self.answers[entry.digest] = entry.answer
            case Kind.SPEND:
                self.spent.add(entry)
            case Kind.TAINT | Kind.GATE:
                self._add_labels(entry)
            case Kind.RETRY:
                self._forget_the_world()
                self.spent.forget()

    def _add_step(self, entry: Entry) -> None:
        self.steps[entry.branch, entry.part, entry.digest].append(entry)
        if entry.branch and (entry.took or entry.more):
            self.spent.add_time(entry)
        if entry.kind == Kind.MEMORY:
            self.memories.append(entry)

    def _add_labels(self, entry: Entry) -> None:
        if entry.kind == Kind.GATE:
            identity = (entry.branch, entry.part, entry.digest)
            before = self.steps.get(identity)
            self.gates.setdefault(identity, deque()).append(Decided(entry, before[-1] if before else None))
        else:
            for label in entry.answer:
                self.tainted.setdefault(label, entry.part)
                self.tainted_in.setdefault(label, entry.branch)

    def _forget_the_world(self) -> None:
        """Keep what was computed, called and answered; forget what was looked up, and questions nobody answered."""
        for identity, entries in self.steps.items():
            self.steps[identity] = deque(entry for entry in entries if _stays(entry))
        for identity, decided in self.gates.items():
            self.gates[identity] = deque(
                one for one in decided if one.entry.answer["then"] in ("allow", "mask", "ask", "approve")
            )
        for id in [id for id, answer in self.answers.items() if "value" not in answer]:
            del self.answers[id]
            self.asked.pop(id, None)

    def starts(self, write: Entry) -> int:
        """How often a write was about to start so far."""
        known = self.writes.get((write.part, write.branch))
        return known.starts if known else 0


def _stays(entry: Entry) -> bool:
    """Whether an entry outlives a retry by a person. What an agent remembered belongs to its work, which is kept."""
    return entry.kind in (Kind.STEP, Kind.SLEEP) or (entry.kind == Kind.MEMORY and "/" in entry.branch)


async def read_recorded(rows: Iterable[JournalRow], attempt: int, fetch: FetchBlob) -> Recorded:
    """The answers in a run's journal rows, with those that lie outside fetched."""
    recorded = Recorded()
    for row in rows:
        for entry in decode(row.body):
            recorded.add(await _whole(entry, fetch) if "answer" in entry.more else entry, attempt)
    return recorded


async def _whole(entry: Entry, fetch: FetchBlob) -> Entry:
    body = await fetch(entry.more["answer"])
    if body is None:
        raise StoreError(
            "P205", f"the blob {entry.more['answer']} is missing", fix="run `parti verify`, restore a backup"
        )
    return entry._replace(answer=from_json(body))
