"""Exposure: the protocols by which programs outside may call a part."""

from __future__ import annotations

from typing import Final, Literal, get_args

Exposure = Literal["mcp", "a2a", "openai"]
"""As a tool of the Model Context Protocol, as an agent of Agent2Agent, or as a model of an OpenAI-compatible server."""

EXPOSURES: Final[tuple[Exposure, ...]] = get_args(Exposure)
