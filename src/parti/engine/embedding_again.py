"""Vectors made anew: facts that another embedder had embedded, as today's embeds them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from parti.engine.facts import Place

EMBEDDED_AGAIN: Final = 20_000
"""Facts of another embedder whose new vectors are kept in memory: 15 MB where a vector has 384 numbers."""


class Again:
    """New vectors of facts that another embedder had embedded, by table, tenant and key; the oldest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Place, tuple[str, bytes]] = OrderedDict()

    def get(self, place: Place, by: str) -> bytes | None:
        """The vector that the embedder `by` made of a fact."""
        kept = self._kept.get(place)
        return kept[1] if kept is not None and kept[0] == by else None

    def put(self, place: Place, by: str, vector: bytes) -> None:
        """A vector that the embedder `by` made."""
        self._kept[place] = (by, vector)
        if len(self._kept) > EMBEDDED_AGAIN:
            self._kept.popitem(last=False)
