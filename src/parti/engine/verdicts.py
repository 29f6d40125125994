"""Verdicts: what a change of the program means for one run that is under way, or that was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from parti.design.places import Place
from parti.journal.entries import Entry
from parti.ports.store import Event, RunRecord
from parti.units import Seconds


class Verdict(StrEnum):
    """What becomes of a run under the new code."""

    RESUMES = "resumes"
    """It goes on, or replays, as it would have under the old code."""
    UNKNOWN = "unknown"
    """Code that the run works by changed: only a replay can tell."""
    MIGRATE = "needs migration"
    """A type needs `upcast=` or a default before what is stored can be read; or the store lies where the new code does not look."""
    PIN = "pin the old code"
    """Something that its journal holds is gone, or would be asked, done or written once more."""
    REFUSE = "refuse"
    """What is stored cannot be read by the new code."""


WORST: Final = (Verdict.REFUSE, Verdict.PIN, Verdict.MIGRATE, Verdict.UNKNOWN, Verdict.RESUMES)
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Work:
    """A run with its journal, whole. `event` is what it handles: None where no event started it, or it is kept no longer."""

    record: RunRecord
    entries: tuple[Entry, ...]
    event: Event | None = None

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return not self.record.state.ended

    @property
    def latest(self) -> Seconds:
        """The latest moment that its record and journal know of, in seconds since 1970."""
        told = (entry.at + max(0.0, entry.took) for entry in self.entries)
        return max((*told, self.record.created, self.record.ended))


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that the change means for a run: on which part, why, where that stands now, and what helps.

    `entry` is the number of the journal's entry that it is about, from 1; 0 for the run as a whole.
    """

    verdict: Verdict
    part: str
    why: str
    place: Place
    fix: str
    entry: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands with the new code: the verdict, and every concern behind it, the worst first.

    `replayed` is what a replay found: "" where none was made.
    """

    run: str
    part: str
    open: bool
    verdict: Verdict
    concerns: tuple[Concern, ...] = ()
    replayed: str = ""

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        facts = {name: getattr(self, name) for name in ("run", "part", "open", "replayed")}
        return {**facts, "verdict": str(self.verdict), "concerns": [_json(concern) for concern in self.concerns]}


def standing(work: Work, concerns: list[Concern], replayed: str = "") -> Standing:
    """The worst of the concerns; none at all means that it resumes."""
    ordered = tuple(sorted(dict.fromkeys(concerns), key=lambda one: (WORST.index(one.verdict), one.entry)))
    verdict = ordered[0].verdict if ordered else Verdict.RESUMES
    return Standing(work.record.id, work.record.part, work.open, verdict, ordered, replayed)


def _json(concern: Concern) -> dict[str, Any]:
    facts = {"verdict": str(concern.verdict), "part": concern.part, "entry": concern.entry, "why": concern.why}
    return {**facts, "place": str(concern.place), "try": concern.fix}
