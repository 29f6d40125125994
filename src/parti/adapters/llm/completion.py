"""One streamed completion of llama.cpp: its chunks gathered to a reply, its errors to coded failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from parti.ports.llm import Finish, LlmFailure
from parti.units import Seconds

Hear = Callable[[str], bool]
"""Is given each piece of text, also empty ones; True ends the generation."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was written. `first` is the time of the first piece on the monotonic clock, 0 without any."""

    text: str
    finish: Finish
    tokens_in: int
    tokens_out: int
    first: Seconds


class Completion:
    """Gathers the chunks of one streamed completion."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._pieces: list[str] = []
        self._finish = ""
        self._usage: Mapping[str, int] = {}
        self._error: Mapping[str, Any] | None = None
        self._wrong: Exception | None = None
        self._first: Seconds = 0.0

    def take(self, chunk: Mapping[str, Any]) -> bool:
        """Called by the runtime, which swallows exceptions: so they are kept. True ends the generation."""
        try:
            return self._take(chunk)
        except Exception as wrong:
            self._wrong = wrong
            return True

    def _take(self, chunk: Mapping[str, Any]) -> bool:
        self._error = chunk.get("error") or self._error
        self._usage = chunk.get("usage") or self._usage
        piece = ""
        for choice in chunk.get("choices") or ():
            piece += choice.get("delta", {}).get("content") or ""
            self._finish = choice.get("finish_reason") or self._finish
        if piece:
            self._first = self._first or time.monotonic()
            self._pieces.append(piece)
        return self._hear(piece)

    def reply(self) -> Reply:
        """All of it. Raises what went wrong."""
        if self._wrong:
            raise self._wrong
        if self._error:
            raise _failure(self._error)
        return Reply(
            text="".join(self._pieces),
            finish={"stop": "stop", "length": "length"}.get(self._finish, "other"),  # type: ignore[arg-type]
            tokens_in=self._usage.get("prompt_tokens", 0),
            tokens_out=self._usage.get("completion_tokens", 0),
            first=self._first,
        )


def _failure(error: Mapping[str, Any]) -> LlmFailure:
    said = str(error.get("message", "it did not say why"))
    if error.get("type") == "exceed_context_size_error":
        tokens, window = int(error["n_prompt_tokens"]), int(error["n_ctx"])
        return LlmFailure(
            "P703",
            f"the request has {tokens} tokens, {tokens - window} more than the context window of {window}",
            lasting=True,
            fix="send less, declare the model with a larger context=, or overflow=Truncate() of the agent",
        )
    if error.get("code") == 400:
        return LlmFailure("P702", f"the local model refused the request: {said}", lasting=True)
    return LlmFailure("P701", f"the local model failed: {said}")
