"""An embedder that finds all texts alike, so that whatever was remembered is recalled: the port ports.embedder.Embedder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from parti.extras import need

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Alike:
    """Gives every text the same vector: in an audit, what may be recalled counts, not what is likely to be."""

    name = "alike"
    dimensions = 2

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See the port."""
        numpy: Any = need("numpy", extra="embeddings", purpose="auditing what is remembered")
        rows: NDArray[np.float32] = numpy.zeros((len(texts), self.dimensions), "float32")
        rows[:, 0] = 1.0
        return rows

    async def close(self) -> None:
        """Nothing is held."""
