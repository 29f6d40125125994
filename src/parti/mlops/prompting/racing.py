"""Racing: a candidate is tried on a few cases first, and dropped as soon as more of them would be money for nothing.

After Maron & Moore, "Hoeffding races" (1994): bad candidates are told by few cases, only good ones need all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parti.mlops.evaluation.statistics import sign_test

HARDLY: Final = 0.1
"""A p of the sign test below which a candidate that is worse so far is dropped. Five of five cases give 0.06."""


def heats(cases: int) -> list[int]:
    """After how many cases to look: a quarter, a half, all; not before four."""
    return sorted({min(cases, max(4, -(-cases // part))) for part in (4, 2, 1)})


def is_out(scores: Sequence[float], best: Sequence[float], *, or_equal: bool = False) -> bool:
    """Whether a candidate with these first scores is dropped, against those of the best one on all cases.

    So it is where even full scores from here on would not make it better (`or_equal`: as good), and where it is worse so far
    and hardly by chance.
    """
    left = len(best) - len(scores)
    if not left:
        return False
    reachable, needed = sum(scores) + left, sum(best)
    if reachable < needed or (reachable == needed and not or_equal):
        return True
    changes = [score - known for score, known in zip(scores, best, strict=False)]
    better, worse = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
    return worse > better and sign_test(better, worse) < HARDLY
