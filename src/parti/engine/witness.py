"""A witness: the answers of a journal, with a note of which were taken and what was asked that it does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from parti.design.agent import Agent
from parti.design.graph import Design
from parti.design.tool import Tool
from parti.engine.accounts import is_under
from parti.engine.recorded import Recorded, Write
from parti.engine.verdicts import Verdict
from parti.errors import PartiError, PayloadError
from parti.journal.entries import Entry, Kind

ASKED: Final = frozenset({Kind.STEP, Kind.READ, Kind.SLEEP, Kind.MEMORY, Kind.FAIL})


class Anew(BaseException):
    """Something is asked that the journal does not answer; `again` where it was under way and is settled as declared."""

    def __init__(self, part: str, what: str, *, again: bool = False) -> None:
        super().__init__(what)
        self.part = part
        self.again = again


class _Unsettled:
    """A write that began and did not end. Raises Anew once its arguments were compared, before anything is done."""

    __slots__ = ("digest", "what")

    def __init__(self, tool: str, write: Write) -> None:
        self.digest = write.digest
        self.what = tool, f"the write `{tool}`, which is {'in doubt' if write.state == 'doubt' else 'not done'},"

    @property
    def state(self) -> str:
        """It would be settled now."""
        raise Anew(*self.what)


class _Writes(dict[tuple[str, str], Write]):
    """What is known of writes; one that is not done is held."""

    def __init__(self, known: dict[tuple[str, str], Write], met: set[tuple[str, str]]) -> None:
        super().__init__(known)
        self.met = met

    def get(self, identity: tuple[str, str], default: Any = None) -> Any:
        """What is known of a write that the program makes now. Raises Anew where it would be made."""
        known = super().get(identity, default)
        self.met.add(identity)
        if known is None:
            raise Anew(identity[0], f"the write `{identity[0]}` under the key {identity[1]!r}")
        return known if known.state == "done" else _Unsettled(identity[0], known)


class _Answers(dict[str, Any]):
    """Answers by question. That one is looked for is noted."""

    def __init__(self, known: dict[str, Any], met: set[str]) -> None:
        super().__init__(known)
        self.met = met

    def __contains__(self, id: object) -> bool:
        self.met.add(str(id))
        return super().__contains__(id)


class _Asked(dict[str, float]):
    """Open questions by id, with their deadlines."""

    def get(self, id: str, default: Any = None) -> Any:
        """The deadline of a question that was put. Raises Anew for one that was not."""
        if id not in self:
            raise Anew("", "a question")
        return super().get(id, default)


class _Pins(dict[str, int]):
    """Versions of models."""

    def __contains__(self, model: object) -> bool:
        if not super().__contains__(model):
            raise Anew(str(model), f"`{model}`")
        return True


@dataclass(slots=True)
class Witness(Recorded):
    """See the module. `held` says in words what was asked anew, `parts` of which parts, in that order."""

    design: Design | None = None
    entries: tuple[Entry, ...] = ()
    attempt: int = 1
    held: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    trouble: tuple[Verdict, str, str, int] | None = None
    """The first thing that went wrong, as what a replay comes to."""
    over: list[str] = field(default_factory=list)
    """Paths whose inside is answered as a whole, or is taken up with what is held."""
    made: set[tuple[str, str]] = field(default_factory=set)
    put: set[str] = field(default_factory=set)
    again: bool = False

    def take(self, branch: str, part: str, digest: str) -> Entry | None:
        """See Recorded. Raises Anew, but for what has an inside of its own to answer from, and for the time."""
        known = super(Witness, self).take(branch, part, digest)
        if known is not None:
            return known
        declared = self.design.by_name.get(part) if self.design else None
        if part == "now" or isinstance(declared, Agent) or (isinstance(declared, Tool) and declared.effect == "write"):
            return None
        failed = any(
            e.kind == Kind.FAIL and (e.branch, e.part, e.digest) == (branch, part, digest) for e in self.entries
        )
        raise Anew(part, "a sleep" if part == "sleep" else f"`{part}`", again=failed)

    def hold(self, anew: Anew, path: str, what: str = "") -> None:
        """Something was asked anew; what its inside had begun is taken up with it."""
        self.held.append(what or str(anew))
        self.parts.append(anew.part)
        self.again = self.again or anew.again
        self.over.append(path)

    def settle(self, path: str) -> None:
        """Something was answered, and with it all that was journaled of its inside."""
        self.over.append(path)

    def meet(self, wrong: PartiError, error: bytes) -> None:
        """An error that the run had not met before."""
        if self.trouble is not None or (error and json.loads(error).get("code") == wrong.code):
            return
        if isinstance(wrong, PayloadError):
            self.trouble = (Verdict.REFUSE, f"what its journal holds does not fit: {wrong.what}", "", 0)
        elif wrong.code == "P310":
            self.trouble = (Verdict.PIN, f"a write would be repeated with other arguments: {wrong.what}", "", 0)

    def is_tried_again(self) -> bool:
        """Whether something is held that failed in an earlier attempt, so that it is asked again by any code."""
        return self.again

    def left(self) -> list[tuple[int, str]]:
        """What was not taken: the number of each entry (from 1), and what it is in words."""
        waiting = {id(entry) for entries in self.steps.values() for entry in entries}
        waiting |= {id(one.entry) for decided in self.gates.values() for one in decided}
        return [
            (number, _words(entry))
            for number, entry in enumerate(self.entries, 1)
            if self._is_left(entry, waiting) and not self._is_inside(entry, number)
        ]

    def _is_left(self, entry: Entry, waiting: set[int]) -> bool:
        if entry.kind == Kind.ASK:
            withdrawn = entry.digest not in self.asked and entry.digest not in self.answers
            return entry.digest not in self.put and not withdrawn
        if entry.kind == Kind.INTENT:
            identity = entry.part, entry.branch
            return identity not in self.made and dict.__getitem__(self.writes, identity).state != "undone"
        if entry.kind == Kind.GATE:  # a yes leads to what was asked or written then
            return entry.answer["then"] in ("refuse", "too often") and id(entry) in waiting
        return entry.kind in ASKED and id(entry) in waiting

    def _is_inside(self, entry: Entry, number: int) -> bool:
        """Whether it belongs to something that is answered as a whole. Writes do not say: their time and tool do."""
        if entry.kind != Kind.INTENT:
            return any(is_under(entry.branch, path) for path in self.over)
        return any(number in self._span(path) for path in self.over)

    def _span(self, path: str) -> range:
        """The numbers of the entries from the first to the last of a path's inside."""
        inside = [number for number, entry in enumerate(self.entries, 1) if _is_of(entry, path)]
        return range(inside[0], self._closed(path, inside[-1]) + 1) if inside else range(0)

    def _closed(self, path: str, last: int) -> int:
        """The number of the entry that answers the whole: the next of its branch after the inside."""
        outer = path.rpartition("/")[0]
        later = (n for n, e in enumerate(self.entries, 1) if n > last and e.branch == outer and e.kind in ASKED)
        return next(later, last)


def witness_of(entries: Iterable[Entry], attempt: int, design: Design) -> Witness:
    """The answers in a run's entries, which are whole."""
    kept = tuple(entries)
    witness = Witness(design=design, entries=kept, attempt=attempt)
    for entry in kept:
        witness.add(entry, attempt)
    witness.writes = _Writes(witness.writes, witness.made)
    witness.answers = _Answers(witness.answers, witness.put)
    witness.asked = _Asked(witness.asked)
    witness.pins = _Pins(witness.pins)
    return witness


def _is_of(entry: Entry, path: str) -> bool:
    return entry.kind not in (Kind.INTENT, Kind.DONE, Kind.UNDONE) and is_under(entry.branch, path)


def _words(entry: Entry) -> str:
    match entry.kind:
        case Kind.ASK:
            return f"the question to {entry.part}"
        case Kind.INTENT:
            return f"the write `{entry.part}` under the key {entry.branch!r}"
        case Kind.SLEEP:
            return "a sleep"
        case Kind.GATE:
            return f"the refusal of `{entry.part}`"
    return f"`{entry.part}`"
