"""Handles of language models and agents."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from pydantic_core import to_json

from parti.declare.handles import PartHandle
from parti.declare.inside import type_asked_for
from parti.design.agent import Agent
from parti.design.graph import Kind
from parti.design.llm import Llm
from parti.design.outcome import Outcome
from parti.design.tool_server import ToolServer
from parti.errors import AgentStopped
from parti.ports.context import required

T = TypeVar("T")


class LlmHandle(PartHandle):
    """A language model."""

    part: Llm
    uses: ClassVar[Mapping[str, Kind]] = {"ask": "calls"}

    def __init__(self, part: Llm) -> None:
        self.part = part

    async def ask(self, prompt: str, *, output: Any = str, system: str = "") -> Any:
        """The model's answer to `prompt`, of the type `output`; `system` are instructions that stand before it.

        Raises StepFailed: P701 when it does not answer, P703 for too long a prompt, P704 when its answer does not fit.
        """
        return await required(f"asking `{self.name}`").ask_llm(
            self.part, prompt, output=type_asked_for(output), system=system
        )


class AgentHandle(PartHandle, Generic[T]):
    """An agent whose work has an output of type T."""

    part: Agent
    uses: ClassVar[Mapping[str, Kind]] = {"run": "calls", "attempt": "calls", "stream": "calls"}

    def __init__(self, part: Agent) -> None:
        self.part = part

    async def run(self, task: Any) -> T:
        """The output of the agent's work on `task`, a text or anything that can become JSON.

        Raises AgentStopped (P705) with the outcome so far when a limit is reached or no output fits.
        """
        outcome = await self.attempt(task)
        if outcome.output is None and not outcome.done:
            raise _stopped(self.part, outcome)
        return outcome.output  # type: ignore[return-value]

    async def attempt(self, task: Any) -> Outcome[T]:
        """The outcome of the agent's work on `task`, also where it stopped before it was done."""
        return await required(f"the agent `{self.name}`").work(self.part, _text(task))

    def stream(self, task: Any) -> Work[T]:
        """The agent's work on `task`: iterate over the texts that it says as they come, then look at its `outcome`."""
        return Work(self.part, _text(task))


class ToolServerHandle(PartHandle):
    """A server of tools, to be given to agents."""

    part: ToolServer

    def __init__(self, part: ToolServer) -> None:
        self.part = part


class Work(Generic[T]):
    """Work under way. Each text is a piece of what the model says; after the last, `outcome` is there."""

    def __init__(self, agent: Agent, task: str) -> None:
        self._agent = agent
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        required(f"the agent `{agent.name}`")
        self._task = asyncio.ensure_future(self._work(task))

    @property
    def outcome(self) -> Outcome[T]:
        """What came of it. There only once all pieces were read."""
        return self._task.result()

    @property
    def output(self) -> T:
        """The output. Raises AgentStopped (P705) when there is none."""
        if self.outcome.output is None and not self.outcome.done:
            raise _stopped(self._agent, self.outcome)
        return self.outcome.output  # type: ignore[return-value]

    def __aiter__(self) -> Work[T]:
        return self

    async def __anext__(self) -> str:
        piece = await self._pieces.get()
        if piece is None:
            await self._task  # raises what ended it
            raise StopAsyncIteration
        return piece

    async def _work(self, task: str) -> Outcome[T]:
        try:
            return await required("an agent").work(self._agent, task, tell=self._pieces.put_nowait)
        finally:
            self._pieces.put_nowait(None)


def _stopped(agent: Agent, outcome: Outcome[Any]) -> AgentStopped:
    error = AgentStopped(
        "P705",
        f"`{agent.name}` stopped after {outcome.turns} turns: {outcome.why}",
        place=agent.place,
        fix="catch AgentStopped and use .outcome, raise the limit, or give simpler work",
    )
    error.outcome = outcome
    return error


def _text(task: Any) -> str:
    return task if isinstance(task, str) else to_json(task).decode()
