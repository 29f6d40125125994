"""Handles of language models, agents and memories."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from parti.declare.handles import PartHandle
from parti.declare.inside import type_asked_for
from parti.design.agent import Agent, task_text
from parti.design.graph import Kind
from parti.design.llm import Llm
from parti.design.memory import Episode, Memory, Recalled
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

    async def run(self, task: Any, *, variables: Any = None) -> T:
        """The output of the agent's work on `task`, a text or anything that can become JSON.

        `variables` are those of its Prompt: a value of their type, or a mapping (else P402).
        Raises AgentStopped (P705) with the outcome so far when a limit is reached or no output fits.
        """
        outcome = await self.attempt(task, variables=variables)
        if outcome.output is None and not outcome.done:
            raise _stopped(self.part, outcome)
        return outcome.output  # type: ignore[return-value]

    async def attempt(self, task: Any, *, variables: Any = None) -> Outcome[T]:
        """The outcome of the agent's work on `task`, also where it stopped before it was done."""
        agent = self.part.with_variables(variables)
        return await required(f"the agent `{self.name}`").work(agent, task_text(task))

    def stream(self, task: Any, *, variables: Any = None) -> Work[T]:
        """The agent's work on `task`: iterate over the texts that it says as they come, then look at its `outcome`."""
        return Work(self.part.with_variables(variables), task_text(task))


class ToolServerHandle(PartHandle):
    """A server of tools, to be given to agents."""

    part: ToolServer

    def __init__(self, part: ToolServer) -> None:
        self.part = part


class Work(Generic[T]):
    """Work under way. Each text is a piece of what the model says; after the last, `outcome` is there.

    Until then no part can be used where it is read (P301), only `parti.tell`: a replay gets the text in other pieces.
    """

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
        reader = required(f"the agent `{self._agent.name}`")
        piece = await self._pieces.get()
        reader.reading = "" if piece is None else self._agent.name
        if piece is None:
            await self._task  # raises what ended it
            raise StopAsyncIteration
        return piece

    async def _work(self, task: str) -> Outcome[T]:
        try:
            return await required("an agent").work(self._agent, task, tell=self._pieces.put_nowait)
        finally:
            self._pieces.put_nowait(None)


class MemoryHandle(PartHandle):
    """A memory. `scope` is the key of the run unless it is given, which only a shared memory allows (else P305)."""

    part: Memory
    uses: ClassVar[Mapping[str, Kind]] = {
        "remember": "writes",
        "forget": "writes",
        "recall": "reads",
        "episodes": "reads",
    }

    def __init__(self, part: Memory) -> None:
        self.part = part

    async def remember(self, text: str, *, scope: str | None = None, about: Mapping[str, Any] | None = None) -> str:
        """Keep a fact, with anything `about` it that can become JSON; its id. Others see it when the run commits.

        Raises P313 when the scope is full and says so, P402 for an empty text, P404 for one that is too long.
        """
        context = required(f"remembering in `{self.name}`")
        return await context.remember(self.part, text, scope=_scope(scope), about=about or {})

    async def recall(self, query: str, *, scope: str | None = None, limit: int = 5) -> list[Recalled]:
        """Up to `limit` (1 to 100) facts of the scope whose meaning is nearest to `query`, best first."""
        return await required(f"recalling from `{self.name}`").recall(
            self.part, query, scope=_scope(scope), limit=limit
        )

    async def forget(self, *, scope: str | None = None, id: str | None = None) -> int:
        """Forget the fact of that id, or all facts of the scope, when the run commits; how many there were."""
        return await required(f"forgetting in `{self.name}`").forget(self.part, scope=_scope(scope), id=id)

    async def episodes(self, *, scope: str | None = None, limit: int = 20) -> list[Episode]:
        """What happened to the latest `limit` (1 to 100) other runs whose key is the scope, latest first."""
        return await required(f"the episodes of `{self.name}`").episodes(self.part, scope=_scope(scope), limit=limit)


def _scope(scope: object) -> str | None:
    return None if scope is None else str(scope)


def _stopped(agent: Agent, outcome: Outcome[Any]) -> AgentStopped:
    error = AgentStopped(
        "P705",
        f"`{agent.name}` stopped after {outcome.turns} turns: {outcome.why}",
        place=agent.place,
        fix="catch AgentStopped and use .outcome, raise the limit, or give simpler work",
    )
    error.outcome = outcome
    return error
