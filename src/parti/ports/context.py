"""The context port: what a part does when a function that runs in Parti uses it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from parti.design.agent import Agent
from parti.design.budget import Cost
from parti.design.llm import Llm
from parti.design.memory import Episode, Memory, Recalled
from parti.design.model import Model
from parti.design.outcome import Outcome
from parti.design.payload import Payload
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import Offered, ToolServer
from parti.design.topic import Topic
from parti.errors import RunError
from parti.ports.llm import Answer, Request, Tell
from parti.ports.tool_server import Reply
from parti.units import Seconds


class Context(Protocol):
    """What surrounds a running function. The engine sets one for each run, and a lighter one for plain endpoints."""

    reading: str
    """The agent whose stream is being read here: no part can be used between its pieces (P301). Else empty."""

    async def perform(self, part: Step | Tool, arguments: tuple[Any, ...]) -> Any:
        """The answer of a step or tool for `arguments`, all positional: from the journal, or by calling it."""
        ...

    async def predict(self, model: Model, features: Any, *, explain: int | None = None) -> Any:
        """The model's answer by the version this run is pinned to; with `explain`, that many reasons instead."""
        ...

    async def consult(
        self, llm: Llm, request: Request, *, digest: str, shown: bytes, tell: Tell | None = None
    ) -> Answer:
        """The answer of a language model. Raises StepFailed (P70x), BudgetSpent.

        `digest` names the whole request; `shown` (JSON) is what is journaled of it: what is new since the one before.
        """
        ...

    async def ask_llm(self, llm: Llm, prompt: str, *, output: Payload, system: str) -> Any:
        """The model's answer to one prompt, of the type `output`. Raises StepFailed (P70x), BudgetSpent."""
        ...

    async def work(self, agent: Agent, task: str, *, tell: Tell | None = None) -> Outcome[Any]:
        """The outcome of an agent's work on `task`, within its budget and what is left of those around it."""
        ...

    async def offer(self, server: ToolServer) -> tuple[Offered, ...]:
        """The tools of a server, the same in every replay. Raises StepFailed: P707 where they changed, P708 for none."""
        ...

    async def reach(self, server: ToolServer, tool: Offered, arguments: dict[str, Any]) -> Reply:
        """Call a tool of a server; for the inside of a step alone. Raises StepFailed (P707)."""
        ...

    async def publish(self, topic: Topic, event: Any) -> None:
        """Publish `event` when the run commits."""
        ...

    async def get(self, table: Table, key: str) -> Any:
        """The row of `key`, or None. A run sees its own writes."""
        ...

    async def scan(self, table: Table, *, after: str, limit: int) -> list[Any]:
        """Up to `limit` rows in key order, after the key `after`."""
        ...

    async def put(self, table: Table, row: Any) -> None:
        """Write `row` when the run commits. It must be of the run's own key."""
        ...

    async def delete(self, table: Table, key: str) -> None:
        """Delete the row of `key` when the run commits. It must be the run's own key."""
        ...

    async def remember(self, memory: Memory, text: str, *, scope: str | None, about: Mapping[str, Any]) -> str:
        """The id of a fact that is kept when the run commits. Raises P305, P313, P401, P402, P404."""
        ...

    async def recall(self, memory: Memory, query: str, *, scope: str | None, limit: int) -> list[Recalled]:
        """The facts of a scope (None: the run's key) nearest to `query`, best first. A run sees its own. Raises P305."""
        ...

    async def forget(self, memory: Memory, *, scope: str | None, id: str | None) -> int:
        """Forget one fact of a scope, or all, when the run commits; how many. Raises P305."""
        ...

    async def episodes(self, memory: Memory, *, scope: str | None, limit: int) -> list[Episode]:
        """What happened to the latest other runs of a key, latest first. Raises P305."""
        ...

    async def ask(self, who: str, text: str, *, answer: Payload, timeout: Seconds | None, default: Any) -> Any:
        """The answer of a person. `default` is `NO_DEFAULT` when there is none: then a timeout raises P306."""
        ...

    async def sleep(self, duration: Seconds) -> None:
        """Return after `duration` seconds, also when the process ends meanwhile."""
        ...

    def now(self) -> datetime:
        """The time in UTC, the same in every replay of the run."""
        ...

    def random(self) -> random.Random:
        """A generator seeded by the run: the same numbers in every replay."""
        ...

    def uuid(self) -> UUID:
        """A new id, the same in every replay of the run."""
        ...

    def spend(self, cost: Cost) -> None:
        """The tool or step that is being called has cost this much, or that much more."""
        ...

    def tell(self, text: str) -> None:
        """Tell `text` to whoever waits for the run and listens. Nothing is journaled: a replay tells it again."""
        ...

    def time_left(self) -> Seconds:
        """Seconds until the tool or step that is being called is given up, by its own timeout or one around it."""
        ...

    def idempotency_key(self) -> str:
        """The key of the `write` that is being called, to hand to the outside."""
        ...


NO_DEFAULT: Any = object()

_CURRENT: ContextVar[Context | None] = ContextVar("parti_context", default=None)


def current() -> Context | None:
    """The context around the code that runs now, if any."""
    return _CURRENT.get()


def required(what: str) -> Context:
    """The context around the code that runs now, or P301 saying that `what` needs one."""
    context = _CURRENT.get()
    if context is None:
        raise RunError(
            "P301",
            f"{what} works only inside a handler, endpoint or schedule that Parti runs",
            fix="start the system with `parti up`, or with parti.testing.running(system) in a test",
        )
    return context


CURRENT = _CURRENT
"""Set by the engine alone."""
