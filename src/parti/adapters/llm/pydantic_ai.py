"""The provider that reaches every service Pydantic AI knows, and any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from parti.design.llm import Llm
from parti.ports.llm import Answer, Request, Tell

if TYPE_CHECKING:
    from pydantic_ai.models import Model

    from parti.adapters.llm.asking import Asker


class PydanticAiProvider:
    """Implements `Provider` by Pydantic AI's model layer.

    Neither making nor importing it imports Pydantic AI (more than a second on a cold machine): the first request does,
    in a thread. `build` makes the model in place of the one that the target names, for tests and for models that no
    name reaches; it raises whatever it likes, which is reported as P702.
    """

    def __init__(self, build: Callable[[Llm], Model[Any]] | None = None) -> None:
        self._build = build
        self._asker: Asker | None = None
        self._opening = asyncio.Lock()

    async def answer(self, llm: Llm, request: Request, *, tell: Tell | None = None) -> Answer:
        """See Provider. `tell` must not raise. Of the whole, at most `llm.timeout` seconds are waited for the model.

        Raises LlmFailure: P701 for what may pass, P702 for what must be mended first, P703 for too much text.
        """
        asker = self._asker or await self._open(llm)
        return await asker.answer(request, tell=tell, began=monotonic())

    async def close(self) -> None:
        """Close the connections that the model opened for itself. Asking again opens it anew."""
        async with self._opening:
            asker, self._asker = self._asker, None
            if asker:
                await asker.model.__aexit__(None, None, None)

    async def _open(self, llm: Llm) -> Asker:
        """The model behind `llm`, built once, by whoever comes first."""
        async with self._opening:
            if self._asker is None:
                asker = await asyncio.to_thread(_open, llm, self._build)
                await asker.model.__aenter__()
                self._asker = asker
            return self._asker


def _open(llm: Llm, build: Callable[[Llm], Model[Any]] | None) -> Asker:
    """Import what is needed and build the model; opens no connection. Raises LlmFailure (P702)."""
    from parti.adapters.llm.asking import Asker  # noqa: PLC0415 Pydantic AI only where a model is asked
    from parti.adapters.llm.building import build_model  # noqa: PLC0415

    return Asker(llm, build_model(llm, build))
