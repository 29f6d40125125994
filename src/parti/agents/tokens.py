"""Tokens of a request, by an estimate from above: nobody but the provider counts them exactly, and it does so too late."""

from __future__ import annotations

from collections.abc import Iterable

from parti.agents.conversation import size_of
from parti.design.overflow import BYTES_A_TOKEN, tokens_of
from parti.ports.llm import OutputSpec, Request, ToolSpec


def tokens_of_terms(tools: Iterable[ToolSpec], output: OutputSpec | None) -> int:
    """About how many tokens the tools and the output of a request have."""
    tokens = sum(len(str(tool.schema)) + len(tool.about) for tool in tools) // BYTES_A_TOKEN
    return tokens + (len(str(output.schema)) // BYTES_A_TOKEN if output else 0)


def tokens_in(request: Request) -> int:
    """About how many tokens a request has, without its answer."""
    size = sum(map(size_of, request.messages)) if request.size is None else request.size
    return tokens_of(size, len(request.messages)) + tokens_of_terms(request.tools, request.output)
