"""Exposing: which protocols a part is offered by, and the endpoint that makes calls of an agent from outside into runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from parti.declare.agent_handles import AgentHandle
from parti.declare.types import function_of
from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.exposure import EXPOSURES, Exposure
from parti.design.outcome import Outcome
from parti.errors import DeclarationError
from parti.ports.context import required
from parti.units import Seconds

TIMEOUT: Final[Seconds] = 600.0
"""How long a caller from outside waits for an agent. The run goes on."""

CONCURRENCY: Final = 256

TOOL_ONLY: Final[tuple[Exposure, ...]] = ("mcp",)
"""What an endpoint may be exposed as: it works on no task, so it is no agent and no model."""


def exposures_of(expose: Collection[str], allowed: Collection[Exposure], what: str) -> tuple[Exposure, ...]:
    """The protocols in their fixed order, each once. Raises P105 for one that `what` cannot be offered by."""
    if isinstance(expose, str):
        raise DeclarationError("P105", f"expose={expose!r} is one text", fix=f'write expose=("{expose}",)')
    unknown = sorted(set(expose) - set(allowed))
    if unknown:
        known = ", ".join(allowed)
        raise DeclarationError("P105", f"{what} cannot be exposed as {', '.join(unknown)}", fix=f"one of: {known}")
    return tuple(each for each in EXPOSURES if each in expose)


def endpoint_for(handle: AgentHandle[Any], output: Any, *, root: Path) -> Endpoint:
    """The endpoint ``<agent>.served``: each call of the agent from outside is a run of it, with a key, a journal and an end.

    It answers no path of its own; the protocols in `Endpoint.expose` lead to it. Its result is the agent's Outcome.
    """
    agent: Agent = handle.part
    described = function_of(_served_by(handle), root=root, names={"Result": Outcome[output]})
    function = replace(described, name=f"{agent.name}.served", place=agent.place, about=agent.about)
    return Endpoint(
        name=function.name, place=agent.place, method="POST", path=f"/-/agents/{agent.name}", function=function,
        durable=True, key=None, body=None, timeout=TIMEOUT, concurrency=CONCURRENCY, expose=agent.expose,
        agent=agent.name, about=agent.about,
    )  # fmt: skip


def _served_by(handle: AgentHandle[Any]) -> Callable[..., Any]:
    async def served(task: str, context: str = "") -> Result:  # type: ignore[name-defined]  # noqa: F821
        tell = required("an agent").tell
        tell("")  # whoever listens learns that all is told from the beginning, also when it is told again
        work = handle.stream(task)
        async for piece in work:
            tell(piece)
        _ = work.output  # raises where the agent stopped: the run fails then, and may be tried again
        return work.outcome

    return served
