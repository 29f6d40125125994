"""Rows of a matrix by key: unit vectors side by side, so that one product compares a vector with all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from parti.errors import PayloadError
from parti.extras import need
from parti.ports.vectors import Found

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLUR: Final = 1e-4
"""How far a float32 product of unit vectors can be off at most: 6e-8 for each of up to 1,600 dimensions."""


class Rows:
    """Grows by doubling; a removed row's place is taken by the last. 4 bytes for each number, up to twice that."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._np: Any = need("numpy", extra="embeddings", purpose="searching vectors")
        self._matrix = self._np.empty((16, dimensions), "float32")
        self._keys: list[str] = []
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def put(self, keys: Sequence[str], units: NDArray[np.float32]) -> None:
        """Set rows of unit length, as `unit_rows` gives them."""
        fresh = [key for key in dict.fromkeys(keys) if key not in self._places]
        self._make_room(len(self._keys) + len(fresh))
        self._places.update(zip(fresh, range(len(self._keys), len(self._keys) + len(fresh)), strict=True))
        self._keys += fresh
        for key, unit in zip(keys, units, strict=True):  # one by one: of a key that stands twice, the last row counts
            self._matrix[self._places[key]] = unit

    def drop(self, key: str) -> None:
        """Forget a key that is there."""
        place, last = self._places.pop(key), self._keys.pop()
        if last != key:
            self._keys[place] = last
            self._places[last] = place
            self._matrix[place] = self._matrix[len(self._keys)]

    def best(self, unit: NDArray[np.float32], limit: int, among: Iterable[str] | None = None) -> list[Found]:
        """The `limit` keys most like `unit`, of all rows or of those of `among` that are there. Every one is compared.

        A fast product first, then the best once more, slowly: the last decimals of a product depend on where in the
        matrix a row lies, and equal vectors must tie.
        """
        places = self._places_of(among)
        limit = min(limit, len(places))
        if limit <= 0:
            return []
        rough = self._compare(places, unit)
        worst = self._np.partition(rough, len(places) - limit)[len(places) - limit]
        near = places[rough >= worst - _BLUR]
        fine = (self._matrix[near] * unit.astype("float64")).sum(axis=1).clip(-1, 1).round(6) + 0.0  # no minus zero
        found = [Found(self._keys[place], value) for place, value in zip(near.tolist(), fine.tolist(), strict=True)]
        return sorted(found, key=lambda found: (-found.similarity, found.key))[:limit]

    def _places_of(self, among: Iterable[str] | None) -> Any:
        if among is None:
            return self._np.arange(len(self._keys))
        return self._np.array([self._places[key] for key in dict.fromkeys(among) if key in self._places], dtype="int64")

    def _compare(self, places: Any, unit: NDArray[np.float32]) -> Any:
        """The similarity of each place, to about five decimals."""
        count = len(self._keys)
        if len(places) <= count // 4:
            return self._matrix[places] @ unit
        return (self._matrix[:count] @ unit)[places]  # gathering many rows costs more than comparing them all

    def unit_rows(self, vectors: Any, count: int) -> NDArray[np.float32]:
        """`vectors` with every row of length 1, float32. Raises P402 unless they are `count` rows that have a direction."""
        np = self._np
        rows = np.asarray(vectors, dtype="float64")
        if rows.shape != (count, self.dimensions):
            wanted = (count, self.dimensions)
            raise _unfit(f"the vectors have the shape {rows.shape}, not {wanted}", "embed with the model of this index")
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise _unfit("a vector is zero, or holds a number that is not finite", "look at what computed it")
        return (rows / lengths).astype("float32")

    def _make_room(self, count: int) -> None:
        if count > len(self._matrix):
            matrix = self._np.empty((max(count, 2 * len(self._matrix)), self.dimensions), "float32")
            matrix[: len(self._keys)] = self._matrix[: len(self._keys)]
            self._matrix = matrix


def _unfit(what: str, fix: str) -> PayloadError:
    return PayloadError("P402", what, fix=fix)
