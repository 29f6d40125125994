"""The embedder port: texts in, vectors out, so that texts which mean the same lie close together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Embedder(Protocol):
    """Embeds texts with one version of one model. Safe from several tasks; the event loop stays free meanwhile."""

    @property
    def name(self) -> str:
        """The model and its version, to be stored beside every vector: only vectors of one name may be compared."""
        ...

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each text, in their order: float32, shape (texts, dimensions), every row of length 1.

        A text's row does not depend on the other texts. The empty text has a row too; no texts give shape
        (0, dimensions). What is longer than the model reads counts by its beginning only. Cancelling it stops the work soon.
        """
        ...

    async def close(self) -> None:
        """Give back what the model takes. It may be called twice."""
        ...
