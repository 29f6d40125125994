"""Surrogates: half of a character, as JSON may write it with an escape, is no text that can be sent, hashed or kept.

Each becomes U+FFFD where it enters, as the Unicode standard has it for what cannot be decoded (section 3.9); two halves that
belong together become their character.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

from pydantic_ai.messages import ModelResponse, ModelResponsePart

from parti.ports.llm import Tell

_FIRST: Final = "\ud800"
_LAST_HIGH: Final = "\udbff"


def whole(text: str) -> str:
    """The text without lone surrogates; itself where it has none, at the price of one pass."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def whole_response(response: ModelResponse) -> ModelResponse:
    """The response with whole texts only: in its parts, their names, ids and arguments, and in what providers add."""
    parts = [_whole_part(part) for part in response.parts]
    name, details = _whole(response.model_name), _whole(response.provider_details)
    mended = any(new is not old for new, old in zip(parts, response.parts, strict=True))
    if not mended and name == response.model_name and details == response.provider_details:
        return response
    return replace(response, parts=parts, model_name=name, provider_details=details)


class Pieces:
    """Tells text that comes in pieces; the first half of a character waits for the second, which the next piece may begin with."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._half = ""

    def take(self, text: str) -> None:
        """One more piece."""
        text = self._half + text
        self._half = text[-1] if text and _FIRST <= text[-1] <= _LAST_HIGH else ""
        text = text[: len(text) - len(self._half)]
        if text:
            self._tell(whole(text))

    def end(self) -> None:
        """No more will come."""
        if self._half:
            self._tell(whole(self._half))


def _whole_part(part: ModelResponsePart) -> ModelResponsePart:
    changed = {}
    for one in fields(part):
        value = getattr(part, one.name)
        if one.init and isinstance(value, str | dict | list) and (mended := _whole(value)) != value:
            changed[one.name] = mended
    return replace(part, **changed) if changed else part


def _whole(value: Any) -> Any:
    """A JSON value with whole texts, keys included."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, dict):
        return {_whole(key): _whole(inner) for key, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list) else value
