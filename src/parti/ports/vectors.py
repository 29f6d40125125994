"""The vector index port: keys of the vectors that are most alike, found in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Found(NamedTuple):
    """A vector that was found. `similarity` is the cosine, from -1 to 1, rounded to six decimals."""

    key: str
    similarity: float


class Nearest(Protocol):
    """Searches packed vectors once: float16 numbers, little-endian, all of as many numbers as the query."""

    def __call__(self, query: bytes, vectors: Mapping[str, bytes], limit: int) -> list[Found]:
        """The `limit` keys most like `query`, best first, equal ones by key. Raises P402 as VectorIndex does."""
        ...


class VectorIndex(Protocol):
    """Vectors by key, searched by cosine. A view that can be rebuilt at any time: the store holds the truth.

    It lives in memory and never waits, so its methods are plain; one thread at a time may use it. Vectors may be of any
    length but zero: only their direction counts. One that has another number of dimensions, or holds zeros only or what
    is not a finite number, raises P402, and nothing of that call is done.
    """

    @property
    def dimensions(self) -> int:
        """How many numbers each vector has."""
        ...

    def add(self, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add one row of `vectors`, shape (keys, dimensions), for each key, in place of what the key had.

        Where a key stands twice, its last row counts.
        """
        ...

    def remove(self, keys: Iterable[str]) -> None:
        """Forget keys. Those that are not there are passed over."""
        ...

    def search(self, vector: NDArray[np.float32], limit: int, *, among: Collection[str] | None = None) -> list[Found]:
        """The `limit` keys most like `vector`, shape (dimensions,), best first, equal ones by key.

        With `among`, only those keys are looked at, whose order and absence do not matter, and the answer is exact. An
        approximate index may miss a few without it. `limit` is 0 or more; the answer is shorter where there are fewer.
        """
        ...

    def __contains__(self, key: object) -> bool:
        """Whether the key has a vector."""
        ...

    def __len__(self) -> int:
        """How many keys there are."""
        ...
