"""Searching packed vectors once: an index is made of them, asked, and thrown away."""

from __future__ import annotations

from collections.abc import Mapping

from parti.adapters.vectors.opening import open_index
from parti.extras import need
from parti.ports.vectors import Found


def nearest(query: bytes, vectors: Mapping[str, bytes], limit: int) -> list[Found]:
    """See ports.vectors.Nearest. 1,000 vectors of 384 numbers take some 8 ms."""
    np = need("numpy", extra="embeddings", purpose="searching vectors")
    wanted = np.frombuffer(query, "<f2").astype("float32")
    index = open_index(len(wanted), len(vectors))
    packed = np.frombuffer(b"".join(vectors.values()), "<f2").astype("float32")
    index.add(list(vectors), packed.reshape(len(vectors), -1))
    return index.search(wanted, limit)
