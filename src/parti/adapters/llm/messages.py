"""Messages of the port as messages of Pydantic AI, and a response as a message of the port."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from pydantic import ValidationError
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from parti.ports.llm import Answered, Message, Returned, Said, ToolCall

UNKEPT: Final[Any] = {"__all__": {"usage", "timestamp"}}
"""What is not kept of a response: the Answer has the usage, and a replay has other times."""


def translate(messages: Iterable[Message], *, after: Sequence[ModelMessage] = ()) -> list[ModelMessage]:
    """`messages` as they follow `after`, which comes first in the result and is left as it is.

    What is said and returned between two answers is one request, as providers want it.
    """
    translated = list(after)
    parts: list[ModelRequestPart] = []
    if translated and isinstance(last := translated[-1], ModelRequest):
        parts = list(last.parts)
        translated.pop()
    for message in messages:
        if isinstance(message, Answered):
            if parts:
                translated.append(ModelRequest(parts))
                parts = []
            translated.append(response_of(message))
        else:
            parts.append(_part_of(message))
    if parts:
        translated.append(ModelRequest(parts))
    return translated


def _part_of(message: Said | Returned) -> ModelRequestPart:
    if isinstance(message, Returned):
        return ToolReturnPart(
            message.tool, message.text, message.call, outcome="failed" if message.failed else "success"
        )
    return SystemPromptPart(message.text) if message.role == "system" else UserPromptPart(message.text)


def response_of(message: Answered) -> ModelResponse:
    """The response as the provider gave it, where `raw` has kept it; else one made of text and calls.

    So too where `raw` is of a version of Pydantic AI that this one cannot read: journals outlive versions.
    """
    if message.raw:
        with suppress(ValidationError):
            (kept,) = ModelMessagesTypeAdapter.validate_json(message.raw)
            if isinstance(kept, ModelResponse):
                return kept
    parts: list[ModelResponsePart] = [TextPart(message.text)] if message.text else []
    parts += [ToolCallPart(call.name, call.arguments, call.id) for call in message.calls]
    return ModelResponse(parts)


def raw_of(response: ModelResponse) -> str:
    """What must be kept of a response beyond text and calls, as JSON; "" where there is nothing.

    Thinking, signatures and ids are kept, since providers want to see them again.
    """
    if not response.history_digest and _is_plain(response.parts):
        return ""
    return ModelMessagesTypeAdapter.dump_json([response], exclude_none=True, exclude=UNKEPT).decode()


def _is_plain(parts: Sequence[ModelResponsePart]) -> bool:
    """Whether text and then calls, without anything attached, is all there is."""
    called = False
    for part in parts:
        if isinstance(part, ToolCallPart):
            called = True
        elif not isinstance(part, TextPart) or called:
            return False
        if part.id or part.provider_details:
            return False
    return True


def call_of(part: ToolCallPart) -> ToolCall:
    """The call as the model wrote it, valid JSON or not."""
    arguments = part.args if isinstance(part.args, str) else json.dumps(part.args or {}, ensure_ascii=False)
    return ToolCall(part.tool_call_id, part.tool_name, arguments)
