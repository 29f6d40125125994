"""Splits: which cases examples are drawn from, which choose among candidates, and which are looked at once, at the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from parti.errors import UsageError
from parti.mlops.evaluation.cases import Planned

LEAST: Final = 6
"""Cases to choose by, and as many held out: of five that all become better, the sign test still says p = 0.06."""

DRAWN_LEAST: Final = 3
DRAWN_MOST: Final = 24
"""Cases that examples are drawn from: more than a search of this size can tell apart would be taken from the others."""

DRAWN_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Split:
    """Three parts without a case in common; `drawn` may be empty. `repeated` lines said the same as another and are in none."""

    drawn: tuple[Planned, ...]
    choosing: tuple[Planned, ...]
    held_out: tuple[Planned, ...]
    repeated: int = 0


def split(cases: Sequence[Planned], seed: int, *, drawing: bool, place: object = None) -> Split:
    """The cases in three parts, shuffled by `seed`; without `drawing` no part is kept to draw examples from.

    The order of cases follows from their content and the seed alone; which part one falls into also from how many there are, so
    a few more cases move those at the borders. Cases with the same input stay together, since one as an example would give
    the others away. Raises P721 where they are too few, saying how many are needed.
    """
    groups: dict[str, list[Planned]] = {}
    seen, repeated = set[str](), 0
    for case in cases:
        content = case.id.partition("-")[0]  # a line that was there before has a number behind it
        if content in seen:
            repeated += 1
            continue
        seen.add(content)
        groups.setdefault(_asked(case), []).append(case)
    least = 2 * LEAST + (DRAWN_LEAST if drawing else 0)
    if len(groups) < least:
        raise UsageError(
            "P721", f"{len(groups)} different cases are too few to choose a prompt by and prove that it is better",
            place=place, fix=f"give at least {least}; with 50 or more also smaller differences can be told",
        )  # fmt: skip
    order = sorted(groups, key=lambda asked: blake2b(f"{seed} {asked}".encode(), digest_size=16).digest())
    drawn = min(DRAWN_MOST, max(DRAWN_LEAST, round(DRAWN_SHARE * len(order)))) if drawing else 0
    middle = drawn + (len(order) - drawn) // 2

    def part(names: Sequence[str]) -> tuple[Planned, ...]:
        return tuple(case for name in names for case in groups[name])

    return Split(part(order[:drawn]), part(order[drawn:middle]), part(order[middle:]), repeated)


def _asked(case: Planned) -> str:
    """What goes in, as one text: the same for cases that only differ in what is expected."""
    return json.dumps([case.facts["input"], case.facts["variables"]], sort_keys=True)
