"""The agents port: what works on a task for an agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from parti.design.agent import Agent
from parti.design.graph import Design
from parti.design.outcome import Outcome
from parti.ports.llm import Tell

Exchange = tuple[str, str]
"""A task, and what the agent said to it."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was said earlier in a session: its `exchanges`, oldest first, and a `summary` of those before ("" for none)."""

    exchanges: tuple[Exchange, ...] = ()
    summary: str = ""


class AgentLoop(Protocol):
    """Works on one task, by what the context around it (ports.context) lets it do: each of that is a durable step."""

    def __call__(
        self,
        design: Design,
        agent: Agent,
        task: str,
        *,
        tell: Tell | None,
        before: Earlier,
        so_far: Callable[[Outcome[Any]], None],
        summed: Callable[[Earlier], None],
    ) -> Awaitable[Outcome[Any]]:
        """The outcome. `before` is what was said earlier in its session.

        `so_far` is told after each turn what the outcome is should the seconds of the agent be over then; `summed` is told
        what is left of `before` when a summary took the place of its oldest exchanges.

        Raises what a model or the run raises; an agent that stops by itself raises nothing.
        """
        ...
