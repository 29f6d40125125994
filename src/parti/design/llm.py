"""A language model that the system calls: which one, how it is called, what it costs, and whom it is with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from parti.design.gate import Gate
from parti.design.labels import Tag
from parti.design.places import Place
from parti.errors import DeclarationError
from parti.units import Seconds

LOCAL: Final = "local"
"""The target of the small model that runs inside the process."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens that go in, and for a million that come out."""

    input: float
    output: float

    def __post_init__(self) -> None:
        if not (0 <= self.input < float("inf") and 0 <= self.output < float("inf")):
            raise DeclarationError("P105", f"{self} is no price", fix="write Price(input=0.15, output=0.6)")

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost, in US dollars."""
        return (tokens_in * self.input + tokens_out * self.output) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Llm:
    """Answers requests by the model `target`: ``local``, ``provider:model``, or the URL of an OpenAI-compatible server.

    `model` is its name there, where the target does not say. `max_tokens` bounds an answer, `context` a whole request
    (tokens; None: not known). `per_minute` (calls) and `concurrency` bound all callers together. `fallbacks` are asked in
    turn when it fails. `region` and `processor` say where, and by whom, data is processed.
    """

    name: str
    place: Place
    target: str
    model: str
    fallbacks: tuple[str, ...]
    timeout: Seconds
    attempts: int
    per_minute: float | None
    concurrency: int
    price: Price | None
    context: int | None
    max_tokens: int
    settings: Mapping[str, Any] = field(compare=False)
    region: str = ""
    processor: str = ""
    cache: bool = False
    about: str = ""
    clearance: tuple[Tag, ...] = field(default=(), repr=False)
    """The labels that it may be given."""
    gate: Gate | None = field(default=None, repr=False)
    """What is done where it would be given others; None: what the system says."""

    @property
    def arrow(self) -> str:
        """How an arrow to it reads, without its source."""
        return f"calls {self.name}"
