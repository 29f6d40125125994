"""An embedder that is made when it is first used, so that a system that never remembers needs no package for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from parti.ports.embedder import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LateEmbedder:
    """Implements ports.embedder.Embedder by what `make` makes, once, beside the event loop. Raises what `make` raises."""

    def __init__(self, make: Callable[[], Embedder]) -> None:
        self._make = make
        self._made: Embedder | None = None

    @property
    def name(self) -> str:
        """See the port. Before the first embedding it makes the embedder here and now."""
        return self._here().name

    @property
    def dimensions(self) -> int:
        """See the port, and `name`."""
        return self._here().dimensions

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See the port."""
        if self._made is None:
            await asyncio.to_thread(self._here)
        return await self._here().embed(texts)

    async def close(self) -> None:
        """See the port."""
        if self._made is not None:
            await self._made.close()

    def _here(self) -> Embedder:
        if self._made is None:
            self._made = self._make()
        return self._made
