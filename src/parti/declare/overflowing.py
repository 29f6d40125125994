"""Overflow as it is declared of an agent: proved to be possible with the windows of the models that it involves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from parti.declare.agent_handles import LlmHandle
from parti.design.graph import Part
from parti.design.llm import Llm
from parti.design.overflow import Overflow, Summarise, Truncate, room_of, tokens_of
from parti.errors import DeclarationError

LEAST: Final = 3
"""How much larger than a summary the request for one must be able to be: it may hold the summary before, and more."""


def overflow_of(given: object, agent: str, llm: Llm, parts: Mapping[str, Part]) -> Overflow | None:
    """`given` with the name of the model that summarises. Raises P105 for what is no overflow, or leaves no room."""
    if given is None:
        return None
    if not isinstance(given, Truncate | Summarise):
        raise DeclarationError(
            "P105", f"overflow={given!r} is not what it takes", fix="write overflow=Truncate() or overflow=Summarise()"
        )
    room = _room(agent, llm, llm.max_tokens, parts)
    if isinstance(given, Truncate):
        return given
    if given.by is not None and not isinstance(given.by, LlmHandle):
        raise DeclarationError(
            "P105", f"by={given.by!r} is no language model", fix="pass what `desk.llm(...)` returned, or leave it out"
        )
    by = given.by.part if given.by is not None else llm
    if parts.get(by.name) is not by:
        raise DeclarationError(
            "P105",
            f"by= is `{by.name}` of another system, which no run of this one can ask",
            fix="pass a model of this system",
        )
    if given.tokens >= given.keep * room:
        raise DeclarationError(
            "P105", f"a summary of {given.tokens:,} tokens leaves nothing of the {given.keep * room:,.0f} that `{agent}` keeps",
            fix="give fewer tokens=, a larger keep=, or a model with a larger window",
        )  # fmt: skip
    own = _room(agent, by, given.tokens, parts) - tokens_of(len(given.instructions.encode()), 2)
    if own < LEAST * given.tokens:
        raise DeclarationError(
            "P105", f"the window of `{by.name}` has {max(own, 0):,} tokens beside its instructions and a summary of {given.tokens:,}, "
            "too few to go on from one",
            fix="give fewer tokens= or shorter instructions=, or let a model with a larger window summarise",
        )  # fmt: skip
    return replace(given, by=by.name)


def _room(agent: str, llm: Llm, answer: int, parts: Mapping[str, Part]) -> int:
    """What a request to `llm` may have. Raises P105 where nobody said how large a window is, or it holds an answer alone."""
    fallbacks = tuple(part for name in llm.fallbacks if isinstance(part := parts[name], Llm))
    room = room_of(llm, fallbacks, answer)
    if room is None:
        unknown = next(one for one in (llm, *fallbacks) if one.context is None)
        raise DeclarationError(
            "P105", f"`{agent}` declares overflow=, and the context window of `{unknown.name}` is not known",
            fix="say how many tokens it has: desk.llm(..., context=8192)",
        )  # fmt: skip
    if room < 1:
        raise DeclarationError(
            "P105", f"the context window of `{llm.name}` has no room beside an answer of {answer:,} tokens",
            fix="lower max_tokens=, or give a larger context=",
        )  # fmt: skip
    return room
