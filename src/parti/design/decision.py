"""A decision about people: which part takes it, of what kind it is, and what those whom it is about are told and may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from parti.design.places import Place
from parti.units import Seconds

Matter = Literal[
    "credit", "insurance", "hiring", "education", "benefits", "law enforcement", "migration", "justice", "other"
]
"""What it decides on; all but the last are named by Annex III of the European AI Act."""

MATTERS: Final[tuple[Matter, ...]] = get_args(Matter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`by` (a handler, endpoint or schedule) decides on `of`.

    `notice` is the tool that tells a person of a refusal, within `notice_within` seconds and with specific `reasons`.
    `appeal` is the person, by role, who looks at it again. `fairness` is the evaluation that compares groups before release.
    """

    name: str
    place: Place
    by: str
    of: Matter
    notice: str
    notice_within: Seconds | None
    reasons: bool
    appeal: str
    fairness: str
