"""Contention: whether something else was going on on the machine while parts were measured.

Times that are 15 % too long make a predicted p99 up to 78 % wrong near saturation, so a profile that was measured under
contention is marked, and says by what it is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from parti.planning.profile import Contention
from parti.planning.sampled import Sampled
from parti.ports.machine import Calibration, Usage
from parti.units import Seconds

SLOWDOWN: Final = 0.05
"""A calibration whose wall time exceeds its CPU time by more was interrupted."""

DRIFT: Final = 0.10
"""A core whose speed changes by more between calibrations is shared, or throttled."""

STEAL: Final = 0.01
OTHERS: Final = 0.10
"""Shares of all CPU time, taken by the hypervisor and by other programs, that are told."""

APART: Final = 0.15
"""A part that takes so much longer or shorter beside others than alone, surely, is told."""

LITTLE: Final[Seconds] = 0.0002
"""Differences of means below it are told of no part: they are those of timers."""


def contention(
    calibrations: Sequence[Calibration],
    before: Usage,
    after: Usage,
    cores: int,
    services: Mapping[str, tuple[Sampled, Sampled]],
) -> Contention:
    """What the signs say: calibrations before, between and after, usage before and after, and services alone and together."""
    slow = _median([one.wall / one.cpu - 1 for one in calibrations if one.cpu > 0])
    scores = [one.score for one in calibrations]
    drift = max(scores) / min(scores) - 1 if scores and min(scores) > 0 else 0.0
    wall = max(after.wall - before.wall, 1e-9)
    steal = _share(before.stolen, after.stolen, wall * cores)
    busy = _share(before.busy, after.busy, wall * cores)
    others = max(0.0, busy - (after.own - before.own) / (wall * cores))
    why: list[str] = []
    if slow > SLOWDOWN:
        why.append(f"a fixed piece of work took {slow:.0%} longer than its CPU time: other programs had the core")
    if drift > DRIFT:
        why.append(f"the speed of the core changed by {drift:.0%} while it was measured")
    if steal > STEAL:
        why.append(f"the hypervisor took {steal:.1%} of the CPU time")
    if others > OTHERS:
        why.append(f"other programs used {others:.0%} of all cores")
    why += [_apart(part, *pair) for part, pair in services.items() if _differs(*pair)]
    return Contention(bool(why), tuple(why), max(0.0, slow), drift, steal, others)


def _differs(alone: Sampled, together: Sampled) -> bool:
    apart = abs(together.mean - alone.mean)
    return apart > max(LITTLE, APART * alone.mean) and alone.differs_from(together)


def _apart(part: str, alone: Sampled, together: Sampled) -> str:
    more = together.mean / alone.mean - 1 if alone.mean else 1.0
    word = "longer" if more > 0 else "shorter"
    return f"`{part}` took {abs(more):.0%} {word} in turn with the others than alone"


def _share(before: float | None, after: float | None, whole: float) -> float:
    return max(0.0, after - before) / whole if before is not None and after is not None else 0.0


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0
