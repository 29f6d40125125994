"""Comparing two versions case by case: what differs, and whether the cases are enough to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parti.mlops.evaluation.results import Result, by_case
from parti.mlops.evaluation.statistics import Interval, bootstrap, sign_test

UNLIKELY: Final = 0.05
"""A p below which a difference is not put down to chance."""


OTHER_CHECKER: Final = "the checker changed in between: the scores mean different things"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The version `after` against `before` on the `cases` that both were tried on; `left_out` only one was.

    `difference` is the mean of after minus before, with its 95 % interval. `p` is that of the exact sign test over the
    cases that became better or worse. `note` says in words what may be concluded.
    """

    before: str
    after: str
    cases: int
    left_out: int
    mean_before: float
    mean_after: float
    difference: float
    interval: Interval
    better: int
    worse: int
    p: float
    note: str

    @property
    def is_better(self) -> bool:
        """Whether `note` says that `after` is better: the interval and the sign test both do."""
        return self.note.startswith("better")


def compare(before: Result, after: Result) -> Comparison:
    """Both results; see Comparison."""
    old, new = by_case(before.cases), by_case(after.cases)
    common = [id for id in new if id in old]
    changes = [new[id] - old[id] for id in common]
    better, worse = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
    count = len(common) or 1
    interval = bootstrap(changes) if any(changes) else Interval(0.0, 0.0) if changes else Interval(-1.0, 1.0)
    p = sign_test(better, worse)
    return Comparison(
        before=before.version,
        after=after.version,
        cases=len(common),
        left_out=len(old.keys() ^ new.keys()),
        mean_before=sum(old[id] for id in common) / count,
        mean_after=sum(new[id] for id in common) / count,
        difference=sum(changes) / count,
        interval=interval,
        better=better,
        worse=worse,
        p=p,
        note=_note(len(common), better, worse, interval, p) if before.check == after.check else OTHER_CHECKER,
    )


def _note(cases: int, better: int, worse: int, interval: Interval, p: float) -> str:
    """Only what both the interval and the sign test say is said; they fail in different ways, for few cases above all."""
    if not cases:
        return "the two were tried on different cases: nothing can be compared"
    told = "better" if interval.low > 0 and better > worse else "worse" if interval.high < 0 and worse > better else ""
    if told and p < UNLIKELY:
        return f"{told}, and hardly by chance"
    if better + worse < 6:
        return f"no difference can be told with {cases} cases: only {better + worse} of them changed"
    if told or p < UNLIKELY:
        return f"perhaps different; {cases} cases do not settle it"
    return f"no difference can be told with {cases} cases"
