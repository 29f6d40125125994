"""One model at work: a request goes out, an answer or a failure comes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic
from typing import Any, cast

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from parti.adapters.llm.answers import answer_of
from parti.adapters.llm.building import retries_by_setting
from parti.adapters.llm.failures import failure_of
from parti.adapters.llm.history import History
from parti.adapters.llm.shape import Shape, Shapes
from parti.adapters.llm.surrogates import Pieces, whole_response
from parti.design.llm import Llm
from parti.ports.llm import Answer, Request, Tell
from parti.units import Seconds


class Asker:
    """Asks one model. It keeps conversations and shapes it has translated, both bounded."""

    def __init__(self, llm: Llm, model: Model[Any]) -> None:
        self.model = model
        self._llm = llm
        self._history = History()
        self._shapes = Shapes(model)
        self._settings = _settings(llm, model)

    async def answer(self, request: Request, *, tell: Tell | None, began: Seconds) -> Answer:
        """Ask once, for at most the timeout of the Llm. Raises LlmFailure and, when it is cancelled, CancelledError.

        Costs about 0.1 ms for what is new. `prepare_messages` goes over the whole history, about 5 µs a message: it
        breaks tokens that would end a turn, moves later instructions to where the model takes them, and marks text of
        users and tools that looks like an instruction. That is worth more than the time.
        """
        try:
            async with asyncio.timeout(self._llm.timeout):
                shape = self._shapes.of(request)
                messages = self.model.prepare_messages(self._history.translate(request.messages), shape.parameters)
                settings = self._settings_of(request)
                first = 0.0
                if tell is None:
                    response = await self.model.request(messages, settings, shape.parameters)
                else:
                    response, first = await self._stream(messages, settings, shape, tell, began)
            return replace(answer_of(self._llm, whole_response(response), shape), first=first, took=monotonic() - began)
        except Exception as error:  # SDKs of providers raise what they like; nothing but a failure may leave here
            raise failure_of(self._llm, error) from error

    async def _stream(
        self, messages: list[ModelMessage], settings: ModelSettings, shape: Shape, tell: Tell, began: Seconds
    ) -> tuple[ModelResponse, Seconds]:
        """The response, and the seconds from `began` until its first piece came; text is told as it comes."""
        first, pieces = 0.0, Pieces(tell)
        async with self.model.request_stream(messages, settings, shape.parameters) as stream:
            async for event in stream:
                first = first or monotonic() - began
                if text := _text_in(event):
                    pieces.take(text)
            pieces.end()
            return stream.get(), first

    def _settings_of(self, request: Request) -> ModelSettings:
        """What the request sets comes before what the Llm sets; an answer is never longer than either allows."""
        settings = {**self._settings, **request.settings}
        settings["max_tokens"] = min(request.max_tokens, self._llm.max_tokens)
        return cast(ModelSettings, settings)


def _settings(llm: Llm, model: Model[Any]) -> dict[str, Any]:
    """What holds for every request: no retries but Parti's, and no timeout of the transport before the Llm's own."""
    settings: dict[str, Any] = {}
    if "timeout" not in model.unsupported_settings:
        settings["timeout"] = llm.timeout
    if retries_by_setting(model):
        settings["max_retries"] = 0
    return {**settings, **llm.settings}


def _text_in(event: ModelResponseStreamEvent) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""
