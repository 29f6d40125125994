"""The approximate vector index: a graph of neighbours, for more vectors than can be compared one by one.

Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World
graphs" (IEEE TPAMI 42(4), 2020), by the usearch library.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from parti.adapters.vectors.rows import Rows
from parti.extras import need
from parti.ports.vectors import Found

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BREADTH: Final = 256
"""Candidates that a search keeps in hand (`ef`): the more, the fewer are missed. usearch's own 64 missed 6 of 100."""


class UsearchIndex:
    """Finds nearly all of the best in 1 to 3 ms; what it finds is compared exactly, and ordered by that.

    Adding a vector of 384 dimensions costs 0.3 ms, 1.2 ms where there are 100,000, so build a large index off the event
    loop. It takes some 4 KB for each, the graph's own copy included. With `among` it is an exact index, see there.

    Keys whose vectors are the same in half precision share a node: a graph of many equal nodes falls into pieces.
    """

    def __init__(self, dimensions: int) -> None:
        """Raises P110 when numpy or usearch is missing."""
        self._rows = Rows(dimensions)
        self._np = need("numpy", extra="embeddings", purpose="searching vectors")
        usearch = need("usearch.index", extra="embeddings", purpose="searching very many vectors")
        self._graph: Any = usearch.Index(ndim=dimensions, metric="ip", dtype="f32", expansion_search=_BREADTH)
        self._numbers = count()
        self._nodes: dict[bytes, _Node] = {}
        self._node_of: dict[str, _Node] = {}
        self._numbered: dict[int, _Node] = {}

    @property
    def dimensions(self) -> int:
        """See the port."""
        return self._rows.dimensions

    def add(self, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """See the port. On one thread, so that the same additions make the same graph."""
        units = self._rows.unit_rows(vectors, len(keys))
        last = {key: at for at, key in enumerate(keys)}
        self.remove(last)
        self._rows.put(keys, units)
        fresh = {}
        for key, at in last.items():
            content = _digest(units[at])
            node = self._nodes.get(content)
            if node is None:
                node = self._nodes[content] = _Node(next(self._numbers), content, set())
                self._numbered[node.number] = node
                fresh[node.number] = at
            node.keys.add(key)
            self._node_of[key] = node
        if fresh:
            self._graph.add(self._np.array(list(fresh), "uint64"), units[list(fresh.values())], threads=1)

    def remove(self, keys: Iterable[str]) -> None:
        """See the port."""
        for key in keys:
            if key in self._rows:
                self._rows.drop(key)
                node = self._node_of.pop(key)
                node.keys.remove(key)
                if not node.keys:
                    del self._nodes[node.content], self._numbered[node.number]
                    self._graph.remove(node.number)

    def search(self, vector: NDArray[np.float32], limit: int, *, among: Collection[str] | None = None) -> list[Found]:
        """See the port. Approximate only without `among`."""
        unit = self._rows.unit_rows([vector], 1)[0]
        if among is None and 0 < limit < len(self._nodes):
            numbers = self._graph.search(unit, limit, threads=1).keys.tolist()
            if len(numbers) == limit:  # else parts of the graph cannot be reached: compare with all
                among = [key for number in numbers for key in self._numbered[number].keys]
        return self._rows.best(unit, limit, among)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)


class _Node(NamedTuple):
    """One vector of the graph, with the keys that have it."""

    number: int
    content: bytes
    keys: set[str]


def _digest(unit: NDArray[np.float32]) -> bytes:
    return blake2b(unit.astype("float16").tobytes(), digest_size=16).digest()
