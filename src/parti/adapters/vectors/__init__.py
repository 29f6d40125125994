"""Vector indexes: exact, and approximate for very many vectors."""

from parti.adapters.vectors.nearest import nearest
from parti.adapters.vectors.opening import EXACT_MAX, open_index

__all__ = ["EXACT_MAX", "nearest", "open_index"]
