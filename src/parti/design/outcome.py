"""The outcome of an agent's work: what it made, or why it stopped before, and what that took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

T = TypeVar("T")

Reason = Literal[
    "done", "turns", "usd", "tokens", "steps", "seconds", "repeating", "invalid calls", "invalid output", "refused"
]

WORDS: Final[dict[str, str]] = {
    "turns": "it has had all its turns",
    "usd": "its budget of dollars is spent",
    "tokens": "its budget of tokens is spent",
    "steps": "its budget of steps is spent",
    "seconds": "its time is over",
    "repeating": "it called one tool with the same arguments three times",
    "invalid calls": "it went on calling tools in ways that they cannot be called",
    "invalid output": "what it gave does not fit its output type, also after it was told so",
    "refused": "the model refused to answer",
}


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """`output` is None unless `reason` is "done". `text` is the last that the model said.

    `turns` counts its answers; `usd` and `tokens` are what those cost, and summaries of what was said before;
    tools and other agents are not counted.
    `tokens_out` are those of `tokens` that the model wrote.
    """

    output: T | None
    reason: Reason
    text: str = ""
    turns: int = 0
    usd: float = 0.0
    tokens: int = 0
    tokens_out: int = 0

    @property
    def why(self) -> str:
        """The reason in words."""
        return WORDS.get(self.reason, "it is done")

    @property
    def done(self) -> bool:
        """Whether there is an output."""
        return self.reason == "done"
