"""Embeddings: texts as vectors, computed in this process."""
