"""The exact vector index: compares with every vector, in numpy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from parti.adapters.vectors.rows import Rows
from parti.ports.vectors import Found

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ExactIndex:
    """Finds the very best, always. Of 384 dimensions, 10,000 vectors take 0.5 ms and 15 MB, 100,000 take 14 ms and 150 MB.

    With `among`, 1,000 keys take 0.3 ms and 100,000 take 60 ms.
    """

    def __init__(self, dimensions: int) -> None:
        """Raises P110 when numpy is missing."""
        self._rows = Rows(dimensions)

    @property
    def dimensions(self) -> int:
        """See the port."""
        return self._rows.dimensions

    def add(self, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """See the port."""
        self._rows.put(keys, self._rows.unit_rows(vectors, len(keys)))

    def remove(self, keys: Iterable[str]) -> None:
        """See the port."""
        for key in keys:
            if key in self._rows:
                self._rows.drop(key)

    def search(self, vector: NDArray[np.float32], limit: int, *, among: Collection[str] | None = None) -> list[Found]:
        """See the port."""
        return self._rows.best(self._rows.unit_rows([vector], 1)[0], limit, among)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)
