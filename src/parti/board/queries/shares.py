"""Shares: a run's wall time cut into stretches that do not overlap and leave nothing out, each said to be something's.

Where several things happen at once, the innermost of those at work has the time, then one in line, then one that waits. What no
journaled thing covers is the function's own as far as the run's busy seconds go (the shortest gaps first), and else nobody
knows: ``unexplained``. The sum is the wall time, by construction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, NamedTuple

from parti.board.queries.calls import Call, Stretch
from parti.units import Seconds

Share = Literal["in_line", "parts", "own", "waiting", "backoff", "dead", "unexplained"]
RANKS: Final = ("parts", "in_line", "waiting")


class Segment(NamedTuple):
    """From `at` until `until` the time is that of `what`; `bar` is the index of the call that has it, if one has."""

    at: Seconds
    until: Seconds
    what: Share
    bar: int | None


class Band(NamedTuple):
    """A time at which the run as a whole stood in line, waited for another try, or was dead."""

    at: Seconds
    until: Seconds
    what: Literal["in_line", "backoff", "dead"]


@dataclass(frozen=True, slots=True)
class Shares:
    """Seconds of the wall time, by what they went to."""

    in_line_seconds: Seconds
    parts_seconds: Seconds
    own_seconds: Seconds
    waiting_seconds: Seconds
    backoff_seconds: Seconds
    dead_seconds: Seconds
    unexplained_seconds: Seconds

    @property
    def total(self) -> Seconds:
        """All of them together."""
        return float(sum(getattr(self, one.name) for one in fields(self)))


def segments_of(
    begin: Seconds, end: Seconds, calls: Sequence[Call], bands: Iterable[Band], busy: Seconds
) -> list[Segment]:
    """The stretches from `begin` to `end`, in order, without gap or overlap. `busy` is the run's time at work in seconds."""
    covered = _covered(begin, end, calls)
    at_work = sum(one.until - one.at for one in covered if one.what in ("parts", "in_line"))
    gaps = _filled(_gaps(begin, end, covered), sorted(bands))
    own = _own([gap for gap in gaps if gap.what == "unexplained"], max(0.0, busy - at_work))
    known = [gap for gap in gaps if gap.what != "unexplained"]
    return _joined(sorted([*covered, *known, *own], key=lambda one: (one.at, one.until)))


def shares_of(segments: Iterable[Segment]) -> Shares:
    """The sums of segments."""
    sums: dict[str, float] = defaultdict(float)
    for segment in segments:
        sums[segment.what] += segment.until - segment.at
    return Shares(**{one.name: sums[one.name.removesuffix("_seconds")] for one in fields(Shares)})


def _covered(begin: Seconds, end: Seconds, calls: Sequence[Call]) -> list[Segment]:
    """The stretches in which calls do something, each given to one of them."""
    edges: list[tuple[Seconds, int, int, Stretch]] = []
    for index, call in enumerate(calls):
        for stretch in call.stretches:
            at, until = max(begin, stretch.at), min(end, stretch.until)
            if until > at:
                edges += [(at, 1, index, stretch), (until, 0, index, stretch)]
    edges.sort(key=lambda edge: edge[:3])
    index_of = {id(call): index for index, call in enumerate(calls)}
    active: dict[str, dict[int, int]] = {what: {} for what in RANKS}
    shadowed: dict[int, int] = defaultdict(int)
    found: list[Segment] = []
    last = begin
    for moment, starts, index, stretch in edges:
        if moment > last:
            chosen = _chosen(active, shadowed)
            if chosen is not None:
                found.append(Segment(last, moment, *chosen))
            last = moment
        _count(active[stretch.what], index, 1 if starts else -1)
        above = calls[index].parent
        while above is not None:
            shadowed[index_of[id(above)]] += 1 if starts else -1
            above = above.parent
    return found


def _count(counts: dict[int, int], index: int, change: int) -> None:
    left = counts.get(index, 0) + change
    if left:
        counts[index] = left
    else:
        counts.pop(index, None)


def _chosen(active: dict[str, dict[int, int]], shadowed: dict[int, int]) -> tuple[Share, int] | None:
    """Who has the time: of those with nothing active inside of them, one at work before one in line before one that waits."""
    for what in RANKS:
        for index in active[what]:
            if not shadowed[index]:
                return what, index
    return None


def _gaps(begin: Seconds, end: Seconds, covered: list[Segment]) -> list[Segment]:
    found, reached = [], begin
    for segment in covered:
        if segment.at > reached:
            found.append(Segment(reached, segment.at, "unexplained", None))
        reached = max(reached, segment.until)
    if end > reached:
        found.append(Segment(reached, end, "unexplained", None))
    return found


def _filled(gaps: list[Segment], bands: list[Band]) -> list[Segment]:
    """The gaps, cut where a band says what the run as a whole did."""
    for band in bands:
        cut: list[Segment] = []
        for gap in gaps:
            at, until = max(gap.at, band.at), min(gap.until, band.until)
            if gap.what != "unexplained" or until <= at:
                cut.append(gap)
                continue
            cut += [gap._replace(until=at)] if at > gap.at else []
            cut.append(Segment(at, until, band.what, None))
            cut += [gap._replace(at=until)] if until < gap.until else []
        gaps = cut
    return gaps


def _own(gaps: list[Segment], budget: Seconds) -> list[Segment]:
    """The gaps that the function's own code explains: the shortest first, as far as its seconds go."""
    found: list[Segment] = []
    for gap in sorted(gaps, key=lambda one: one.until - one.at):
        used = min(budget, gap.until - gap.at)
        budget -= used
        middle = gap.at + used if used < gap.until - gap.at else gap.until
        found += [gap._replace(until=middle, what="own")] if middle > gap.at else []
        found += [gap._replace(at=middle)] if middle < gap.until else []
    return found


def _joined(segments: list[Segment]) -> list[Segment]:
    """Neighbours that are the same thing's become one."""
    found: list[Segment] = []
    for segment in segments:
        if found and found[-1].until == segment.at and found[-1][2:] == segment[2:]:
            found[-1] = found[-1]._replace(until=segment.until)
        else:
            found.append(segment)
    return found
