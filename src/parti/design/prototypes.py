"""Prototypes: a vector is of the class whose examples it is most like, unless that is too close to call.

The prototype of a class is the mean of its examples' unit vectors, scaled to length 1; the nearest by cosine wins. Snell,
Swersky & Zemel, "Prototypical Networks for Few-shot Learning" (NeurIPS 2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parti.errors import DeclarationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Nearest:
    """The class that a vector is most like. `unsure` says that it is not to be relied on.

    `similarity` is the cosine with its prototype, `margin` how much that is above the second's: both from -1 to 1, 0 to 2.
    """

    label: str
    similarity: float
    margin: float
    unsure: bool


@dataclass(frozen=True, slots=True, eq=False)
class Prototypes:
    """One unit vector for each class. An answer is unsure below `margin_min`, or where nothing reaches `similarity_min`."""

    vectors: Mapping[str, NDArray[np.float32]]
    margin_min: float = 0.05
    similarity_min: float = 0.2

    def nearest(self, vector: NDArray[np.float32]) -> Nearest:
        """The class of a unit vector, shape (dimensions,). Of equals, the one declared first."""
        scores = {label: float(prototype @ vector) for label, prototype in self.vectors.items()}
        label, second = sorted(scores, key=lambda label: -scores[label])[:2]
        similarity, margin = scores[label], scores[label] - scores[second]
        return Nearest(label, similarity, margin, margin < self.margin_min or similarity < self.similarity_min)


def prototypes_of(
    examples: Mapping[str, NDArray[np.float32]], *, margin_min: float = 0.05, similarity_min: float = 0.2
) -> Prototypes:
    """The prototypes of classes, each with its examples' unit vectors, shape (examples, dimensions).

    Raises P105 with fewer than two classes, or for a class whose examples are none or cancel each other out.
    """
    if len(examples) < 2:
        raise DeclarationError(
            "P105", "prototypes need two classes to choose from", fix="give examples of another class"
        )
    vectors = {label: _prototype(label, rows) for label, rows in examples.items()}
    return Prototypes(vectors, margin_min=margin_min, similarity_min=similarity_min)


def _prototype(label: str, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    total = rows.sum(axis=0)
    length = float(total @ total) ** 0.5
    if not length:
        raise DeclarationError("P105", f"the examples of class `{label}` have no direction", fix="give other examples")
    return total / length
