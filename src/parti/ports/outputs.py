"""Outputs: what a language model is told to give, and the value in what it gave."""

from __future__ import annotations

from typing import Any

from parti.design.payload import Payload
from parti.ports.llm import OutputSpec


def output_spec(payload: Payload, about: str = "") -> OutputSpec | None:
    """What the model is told to give; None for a plain text."""
    return None if is_text(payload) else OutputSpec(payload.name, about, payload.schema)


def is_text(payload: Payload) -> bool:
    """Whether values are plain texts, which are not wrapped in JSON."""
    return payload.schema.get("type") == "string" and len(payload.schema) == 1


def value_in(payload: Payload, text: str) -> Any:
    """The value in an answer. Raises PayloadError (P402) naming the first field that does not fit."""
    return text if is_text(payload) else payload.decode(without_fence(text))


def without_fence(text: str) -> str:
    """JSON without the fence that models like to put around it."""
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```"):
        return stripped[3:-3].removeprefix("json").strip()
    return stripped
