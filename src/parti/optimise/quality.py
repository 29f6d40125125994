"""Quality: how the qualities of the parts make that of the whole, as declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from parti.errors import PlanError

Rule = Literal["product", "minimum", "mean"]
RULES: Final = ("product", "minimum", "mean")

ROUNDING: Final = 1e-9
"""So much below the least quality still counts as kept: products of decimal fractions are not exact."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a plan from those of its options, each 0 to 1.

    - ``product``: the share of requests that every part gets right, where mistakes are independent;
    - ``minimum``: the weakest part decides;
    - ``mean``: weighted by `weights` (part to weight, at least 0; parts that are not named weigh nothing).

    Each rule folds terms one by one, and is monotone: a better option never makes the whole worse. So the best terms of
    parts that are not chosen yet give an upper bound. Raises P812 for an unknown rule, or weights that cannot be.
    """

    rule: Rule = "product"
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.rule not in RULES:
            raise PlanError(
                "P812", f"quality cannot be combined by {self.rule!r}", fix=f"take one of {', '.join(RULES)}"
            )
        if self.rule != "mean" and self.weights:
            raise PlanError("P812", f"weights mean nothing to a {self.rule}", fix='leave them out, or take rule="mean"')
        if self.rule == "mean" and not (all(w >= 0 for w in self.weights.values()) and sum(self.weights.values()) > 0):
            raise PlanError(
                "P812",
                "a weighted mean needs weights of at least 0 and one above 0",
                fix="give each part that counts a weight",
            )

    @property
    def empty(self) -> float:
        """What folding starts with: it leaves every term as it is."""
        return 0.0 if self.rule == "mean" else 1.0

    def term(self, part: str, quality: float) -> float:
        """What an option of this quality adds at this part."""
        return quality if self.rule != "mean" else self.weights.get(part, 0.0) / sum(self.weights.values()) * quality

    def fold(self, one: float, other: float) -> float:
        """Two terms, or two folds of terms, as one. Associative and commutative (but for rounding)."""
        if self.rule == "mean":
            return one + other
        return one * other if self.rule == "product" else min(one, other)

    def of(self, terms: Iterable[float]) -> float:
        """The quality of all terms together."""
        whole = self.empty
        for term in terms:
            whole = self.fold(whole, term)
        return whole


def keeps(quality: float, least: float) -> bool:
    """Whether a quality is at least `least`, but for rounding."""
    return quality >= least - ROUNDING
