"""An embedder for tests: texts lie close together when they share words, on every machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from parti.extras import need

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class WordEmbedder:
    """Implements ports.embedder.Embedder: each word, in lower case, is one of `dimensions` directions by its hash.

    `name` is that of the embedder, for tests of what happens when another takes its place. `embedded` are the texts so far.
    """

    def __init__(self, name: str = "words", dimensions: int = 512) -> None:
        self.name = name
        self.dimensions = dimensions
        self.embedded: list[str] = []

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See the port."""
        np: Any = need("numpy", extra="embeddings", purpose="embedding texts")
        self.embedded += texts
        rows = np.zeros((len(texts), self.dimensions), "float32")
        for number, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()) or [""]:
                digest = blake2b(f"{self.name} {word}".encode(), digest_size=8).digest()
                rows[number, int.from_bytes(digest, "big") % self.dimensions] += 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    async def close(self) -> None:
        """Nothing is held."""
