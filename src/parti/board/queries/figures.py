"""Figures: what a sample of calls says of a part or an arrow, counted up to rates by the weight of each call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from parti.board.queries.calls import Call
from parti.board.queries.kinds import part_of
from parti.design.graph import Design
from parti.journal.entries import Kind
from parti.units import Seconds

FAILED: Final = frozenset({"failed", "timed out", "in doubt"})


@dataclass(slots=True)
class Tally:
    """Calls of one part, or along one arrow. Each counts `weight` calls a second; `took` is from asking to the answer."""

    rate: float = 0.0
    took: list[Seconds] = field(default_factory=list)
    failed: int = 0
    count: int = 0
    usd_per_second: float = 0.0
    tokens_per_second: float = 0.0

    def add(self, call: Call, weight: float) -> None:
        """Count a call."""
        self.rate += weight
        self.count += 1
        if call.until > call.at or call.kind not in ("topic", "table"):
            self.took.append(call.until - call.at)
        self.failed += call.state in FAILED

    def spend(self, call: Call, weight: float) -> None:
        """Count what a call cost: its own, or that of one inside of it."""
        self.usd_per_second += weight * call.usd
        self.tokens_per_second += weight * call.tokens


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of the sample (0 to 1) does not exceed, by nearest rank; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * share) - 1)]


def arrow_of(design: Design, call: Call, runner: str) -> tuple[str, str, str] | None:
    """The arrow of the design along which a call went: who, how and to what. None for timers."""
    part = part_of(design, call.part)
    target = part.name if part is not None else call.part
    source = runner if call.parent is None else call.parent.part
    match call.kind:
        case "timer":
            return None
        case "person":
            return source, "asks", target
        case "topic":
            return source, "publishes", target
        case "table" | "memory":
            kind = call.asked.entry.kind if call.asked else Kind.READ
            return source, "writes" if kind in (Kind.PUT, Kind.DELETE, Kind.MEMORY) else "reads", target
    return source, "calls", target
