"""Which vector index to take, by how many vectors it will hold."""

from __future__ import annotations

from typing import Final

from parti.adapters.vectors.exact import ExactIndex
from parti.adapters.vectors.usearch import UsearchIndex
from parti.ports.vectors import VectorIndex

EXACT_MAX: Final = 20_000
"""Up to here an exact search takes a few milliseconds, and adding costs next to nothing."""


def open_index(dimensions: int, expected: int) -> VectorIndex:
    """An empty index that suits `expected` vectors. Raises P110 when the package that it needs is missing."""
    return ExactIndex(dimensions) if expected <= EXACT_MAX else UsearchIndex(dimensions)
