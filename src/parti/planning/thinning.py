"""Thinning: which numbers of replicas are looked at first where there are many, and which then, around the best of those."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

LISTED: Final = 64
"""About so many numbers of replicas are listed at a time."""

NEAR: Final = 16
"""So many of them are those next to where the list begins; the others lie ever further apart."""


def listed(least: int, most: int) -> tuple[int, ...]:
    """Numbers of replicas from `least` to `most`, both among them: all where they are few, else close near the least.

    What a part needs is near the least that can serve: of a replicas at work in the mean, it is a few times the root of a more.
    """
    return (least, *(least + step for step in _steps(most - least, LISTED - 1)))


def around(counts: Sequence[int], chosen: int) -> tuple[int, ...]:
    """Numbers of replicas around a chosen one, of those that a list left out between its neighbours there; with itself.

    `counts` ascend. One of them may be the chosen one; else it must lie between the first and the last.
    """
    at = bisect_left(counts, chosen)
    above = at + 1 if at < len(counts) and counts[at] == chosen else at
    fewer = chosen - counts[at - 1] - 1 if at else 0
    more = counts[above] - chosen - 1 if above < len(counts) else 0
    half = LISTED // 2
    return tuple(
        sorted(
            {chosen, *(chosen - step for step in _steps(fewer, half)), *(chosen + step for step in _steps(more, half))}
        )
    )


def _steps(room: int, most: int) -> list[int]:
    """At most so many distances from 1 to `room`: the first, then ever further ones, and the last."""
    if room <= most:
        return list(range(1, room + 1))
    near = min(NEAR, most // 2)
    further = (near * (room / near) ** (number / (most - near)) for number in range(1, most - near + 1))
    return sorted({*range(1, near + 1), *map(round, further), room})
