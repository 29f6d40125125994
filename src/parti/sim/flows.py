"""Flows: branches on their way between stages, and those that ended badly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parti.sim.compiled import kept, np

if TYPE_CHECKING:
    from collections.abc import Sequence


@kept
def in_order(times: Any, requests: Any, calls: Any, sources: Any) -> bool:
    """Whether branches are ordered by (time, request, call, source)."""
    for here in range(1, len(times)):
        before = here - 1
        if times[before] < times[here]:
            continue
        if times[before] > times[here] or requests[before] > requests[here]:
            return False
        if requests[before] == requests[here] and (
            calls[before] > calls[here] or (calls[before] == calls[here] and sources[before] > sources[here])
        ):
            return False
    return True


@dataclass(frozen=True, slots=True)
class Flow:
    """Branches that come to calls: arrays of one length, ordered by (time, request, call, source) unless said otherwise.

    `times` float64 seconds; `requests`; `calls`, where each goes, as places in the arrays (-1: the end); and `sources`, the numbers
    of the calls they come from (-1: an entry). All but the times are int64.
    """

    times: Any
    requests: Any
    calls: Any
    sources: Any

    def __len__(self) -> int:
        return len(self.times)

    def chosen(self, which: Any) -> Flow:
        """The branches of a mask or of indices."""
        return Flow(self.times[which], self.requests[which], self.calls[which], self.sources[which])

    def ordered(self) -> Flow:
        """By (time, request, call, source)."""
        if in_order(self.times, self.requests, self.calls, self.sources):
            return self
        order = np.argsort(self.times, kind="stable")  # quick where runs are in order
        made = self.chosen(order)
        if in_order(made.times, made.requests, made.calls, made.sources):
            return made
        return self.chosen(np.lexsort((self.sources, self.calls, self.requests, self.times)))


@dataclass(frozen=True, slots=True)
class Ends:
    """Branches that ended badly: when, of which request, and how (`Outcome`)."""

    times: Any
    requests: Any
    outcomes: Any

    def joined(self, others: Ends) -> Ends:
        """These and others."""
        return joined_ends([self, others])

    def with_stuck(self, requests: Any) -> Ends:
        """And branches that wait for others for ever: their time is not a number."""
        number = len(requests)
        return self.joined(Ends(np.full(number, np.nan), requests, np.full(number, STUCK, np.int64)))


STUCK = 4


def empty() -> Flow:
    """No branches."""
    none = np.zeros(0, np.int64)
    return Flow(np.zeros(0), none, none, none)


def no_ends() -> Ends:
    """None."""
    return Ends(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))


def joined(flows: Sequence[Flow]) -> Flow:
    """All flows as one, in order."""
    flows = [flow for flow in flows if len(flow)]
    if len(flows) < 2:
        return flows[0].ordered() if flows else empty()
    columns = ("times", "requests", "calls", "sources")
    return Flow(*(np.concatenate([getattr(flow, name) for flow in flows]) for name in columns)).ordered()


def joined_ends(ends: Sequence[Ends]) -> Ends:
    """All ends as one."""
    ends = [one for one in ends if len(one.times)]
    if len(ends) < 2:
        return ends[0] if ends else no_ends()
    return Ends(*(np.concatenate([getattr(one, name) for one in ends]) for name in ("times", "requests", "outcomes")))
