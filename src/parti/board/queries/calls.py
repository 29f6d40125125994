"""Calls: what a run did, read from its journal as bars in time, each inside of the one that made it.

Pure, and about linear in the entries. What the journal does not tell is not drawn: the time between two tries of a write
is nobody's, and a call that is under way is in no journal yet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from parti.board.queries.kinds import kind_of_call
from parti.design.graph import Design
from parti.journal.entries import Entry, Kind
from parti.ports.store import QuestionRecord
from parti.units import Seconds

NANOS: Final = 1_000_000_000
TICK: Final[Seconds] = 2e-6
"""Moments in the journal are rounded to a microsecond."""

What = Literal["parts", "in_line", "waiting"]
"""What a call does at a time: it is served, it stands in line, or it waits for a person or a timer."""

State = Literal["done", "failed", "timed out", "open", "in doubt", "interrupted", "not done"]


class Placed(NamedTuple):
    """An entry and where it lies: the `position`-th of the journal row `seq`."""

    seq: int
    position: int
    entry: Entry


class Stretch(NamedTuple):
    """What a call does from `at` until `until`."""

    at: Seconds
    until: Seconds
    what: What


@dataclass(slots=True, eq=False)
class Call:
    """One call, read or wait of a run. `asked` and `answered` are the entries that hold its input and its answer.

    `attempts` counts the tries that the journal tells of; `version` is that of a model, or the language model that answered.
    """

    kind: str
    part: str
    branch: str | None
    at: Seconds
    until: Seconds
    state: State
    stretches: list[Stretch] = field(default_factory=list)
    attempt: int = 1
    attempts: int = 1
    batch: int = 0
    version: str = ""
    usd: float = 0.0
    tokens: int = 0
    question: str = ""
    asked: Placed | None = None
    answered: Placed | None = None
    parent: Call | None = None
    makes_calls: bool = False

    def seconds(self, what: What) -> Seconds:
        """For how long it did that."""
        return sum(stretch.until - stretch.at for stretch in self.stretches if stretch.what == what)

    @property
    def depth(self) -> int:
        """How many calls it is inside of."""
        return 0 if self.parent is None else self.parent.depth + 1


def calls_of(
    design: Design, entries: Iterable[Placed], until: Seconds, doubts: Sequence[QuestionRecord] = ()
) -> list[Call]:
    """The calls of a run in the order of their beginning. What is open lasts until `until`; `doubts` are its questions of doubt."""
    reader = _Reader(design, until)
    for placed in entries:
        reader.read(placed)
    reader.close(doubts)
    _nest(design, reader.calls)
    return sorted(reader.calls, key=lambda call: (call.at, call.depth))


class _Reader:
    """Goes through the entries once, and keeps what is open."""

    def __init__(self, design: Design, until: Seconds) -> None:
        self.design = design
        self.until = until
        self.calls: list[Call] = []
        self.writes: dict[tuple[str, str], Call] = {}
        self.questions: dict[str, Call] = {}
        self.pins: dict[str, str] = {}
        self.spent: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])

    def read(self, placed: Placed) -> None:
        entry = placed.entry
        match entry.kind:
            case Kind.STEP | Kind.READ | Kind.MEMORY:
                self._served(placed, "done")
            case Kind.FAIL:
                self._failed(placed)
            case Kind.INTENT:
                self._intends(placed)
            case Kind.DONE | Kind.UNDONE:
                self._settles(placed)
            case Kind.ASK:
                self._asks(placed)
            case Kind.ANSWER:
                self._answers(placed)
            case Kind.SLEEP:
                self._sleeps(placed)
            case Kind.PIN:
                self.pins[entry.part] = f"v{entry.answer}"
            case Kind.SPEND:
                self._spends(entry)
            case Kind.PUT | Kind.DELETE | Kind.PUBLISH:
                self._add(placed, entry.at, entry.at, "done", asked=placed, answered=placed)

    def _add(self, placed: Placed, at: Seconds, until: Seconds, state: State, **more: Any) -> Call:
        entry = placed.entry
        kind, makes = kind_of_call(self.design, entry.part)
        call = Call(kind, entry.part, entry.branch, at, until, state, attempt=entry.attempt, makes_calls=makes, **more)
        self.calls.append(call)
        return call

    def _served(self, placed: Placed, state: State) -> Call:
        entry = placed.entry
        begun, over = entry.at, entry.at + entry.took
        call = self._add(placed, begun - entry.waited, over, state, asked=placed, answered=placed, batch=entry.batch)
        if entry.waited:
            call.stretches.append(Stretch(begun - entry.waited, begun, "in_line"))
        call.stretches.append(Stretch(begun, over, "parts"))
        call.version = self.pins.get(entry.part, "")
        self._costs(call, entry)
        return call

    def _costs(self, call: Call, entry: Entry) -> None:
        """What a call has cost: as its language model said, else as its run's budget was charged."""
        usd, tokens = self.spent.pop((entry.part, entry.digest), (0.0, 0.0))
        if call.kind == "llm" and isinstance(entry.answer, dict):
            call.version = str(entry.answer.get("model", ""))
            said = (entry.answer.get(name) or 0 for name in ("tokens_in", "tokens_out"))
            usd, tokens = float(entry.answer.get("usd") or usd), sum(said) or tokens
        call.usd, call.tokens = max(0.0, usd), max(0, int(tokens))

    def _failed(self, placed: Placed) -> None:
        entry = placed.entry
        open_write = next((key for key, call in self.writes.items() if _is_of(call, entry)), None)
        state: State = "timed out" if _code(entry) == "P303" else "failed"
        if open_write is None:
            self._served(placed, state)
            return
        call = self.writes.pop(open_write)
        self._tried(call, entry)
        self._costs(call, entry)
        call.state, call.answered, call.branch = state, placed, entry.branch

    def _intends(self, placed: Placed) -> None:
        entry = placed.entry
        known = self.writes.get((entry.part, entry.branch))
        if known is None:
            call = self._add(placed, entry.at, entry.at, "in doubt", asked=placed)
            call.branch, self.writes[entry.part, entry.branch] = None, call
        else:  # once more: what it did between the two is not told
            known.attempts += 1
            known.until = max(known.until, entry.at)

    def _settles(self, placed: Placed) -> None:
        entry = placed.entry
        call = self.writes.get((entry.part, entry.branch))
        if call is None:  # said by a reconciliation, of a write before this journal
            call = self._add(placed, entry.at, entry.at, "in doubt")
            call.branch = None
        self._tried(call, entry)
        call.answered = placed
        call.state = "done" if entry.kind == Kind.DONE else "not done"
        if entry.kind == Kind.DONE:
            self.writes.pop((entry.part, entry.branch), None)
        self._costs(call, entry)

    def _tried(self, call: Call, entry: Entry) -> None:
        """One try of a write is over. Before it is the intent's way to the disk, and before that the line."""
        begun = max(call.until, call.at)  # its latest intent
        if entry.attempt == 0:  # a person said so
            call.until = max(call.until, entry.at)
            return
        if entry.waited:
            call.stretches.append(Stretch(begun - entry.waited, begun, "in_line"))
            call.at = min(call.at, begun - entry.waited)
        over = max(begun, entry.at + entry.took)
        call.stretches.append(Stretch(begun, over, "parts"))
        call.until = over

    def _asks(self, placed: Placed) -> None:
        entry = placed.entry
        call = self._add(placed, entry.at, self.until, "open", asked=placed, question=entry.digest)
        call.kind, call.makes_calls = "person", False
        self.questions[entry.digest] = call

    def _answers(self, placed: Placed) -> None:
        entry = placed.entry
        call = self.questions.pop(entry.digest, None)
        if call is None:
            return
        answer = entry.answer if isinstance(entry.answer, dict) else {}
        call.until = max(call.at, entry.at)
        call.answered = placed
        call.state = "done" if "value" in answer else "interrupted" if "withdrawn" in answer else "timed out"

    def _sleeps(self, placed: Placed) -> None:
        entry = placed.entry
        until = max(entry.at, float(entry.answer))
        call = self._add(placed, entry.at, min(until, self.until), "done" if until <= self.until else "open")
        call.kind, call.makes_calls = "timer", False
        call.stretches.append(Stretch(call.at, max(call.at, call.until), "waiting"))

    def _spends(self, entry: Entry) -> None:
        if isinstance(entry.answer, list) and len(entry.answer) >= 2:
            held = self.spent[entry.part, entry.digest]
            held[0] += entry.answer[0] / NANOS
            held[1] += entry.answer[1]

    def close(self, doubts: Sequence[QuestionRecord]) -> None:
        """What was never settled; and what people were asked of writes in doubt."""
        for call in self.questions.values():
            call.stretches.clear()
        for call in self.calls:
            if call.kind == "person":
                call.until = min(max(call.at, call.until), max(call.at, self.until))
                call.stretches.append(Stretch(call.at, call.until, "waiting"))
        for doubt in doubts:
            until = doubt.answered or self.until
            state: State = {"answered": "done", "open": "open", "expired": "timed out"}.get(doubt.state, "interrupted")  # type: ignore[assignment]
            call = Call("person", doubt.who, None, doubt.asked, max(doubt.asked, until), state, question=doubt.id)
            call.stretches.append(Stretch(call.at, call.until, "waiting"))
            self.calls.append(call)


def _is_of(call: Call, entry: Entry) -> bool:
    return call.part == entry.part and call.asked is not None and call.asked.entry.digest == entry.digest


def _code(entry: Entry) -> str:
    return str(entry.answer.get("code", "")) if isinstance(entry.answer, dict) else ""


def _nest(design: Design, calls: list[Call]) -> None:
    """Put each call inside of the one that made it; a caller lasts at least as long as what it called."""
    by_branch: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if call.makes_calls and call.branch is not None and call.answered is not None:
            by_branch[call.branch].append(call)
    ends: dict[str, list[Seconds]] = {}
    for branch, made in by_branch.items():
        made.sort(key=lambda call: call.until)
        ends[branch] = [call.until for call in made]
    makers = [call for made in by_branch.values() for call in made]
    for call in calls:
        if call.branch is None:
            call.parent = _writer(design, call, makers)
        elif "/" in call.branch:
            outside = call.branch.rpartition("/")[0]
            at = bisect_left(ends.get(outside, []), call.until - TICK)
            found = by_branch[outside][at] if at < len(ends.get(outside, [])) else None
            call.parent = found if found is not call else None
    for call in calls:
        above = call.parent
        while above is not None and above.at > call.at:
            above.at = call.at
            above = above.parent


def _writer(design: Design, write: Call, makers: list[Call]) -> Call | None:
    """The shortest call around a write whose part may make it: a write is journaled by its key, not by its branch."""
    around = [
        call
        for call in makers
        if call is not write
        and call.at <= write.at + TICK
        and call.until >= write.until - TICK
        and any(arrow.target == write.part for arrow in design.arrows_from(call.part, "calls"))
    ]
    return min(around, key=lambda call: call.until - call.at, default=None)
