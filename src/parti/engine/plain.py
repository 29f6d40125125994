"""The context of plain endpoints and monitors: committed data, nothing journaled, nothing to replay."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from math import inf
from typing import Any
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
from parti.engine import predicting, recalling
from parti.engine.calling import call
from parti.engine.context import new_event
from parti.engine.remembering import rows_of
from parti.engine.rows import unpack_row
from parti.engine.services import Services
from parti.engine.serving import Timed, together
from parti.engine.steps import failure_of
from parti.engine.turns import Turn
from parti.engine.writes import key_of
from parti.errors import RunError, StepFailed
from parti.ports.context import CURRENT
from parti.ports.llm import Answer, Request, Tell
from parti.ports.tool_server import Reply
from parti.units import Seconds


class PlainContext:
    """Implements ports.context.Context for code that is not a run. What must survive a crash is refused (P301)."""

    __slots__ = ("_key", "_services", "_tenant", "_turns", "_until", "reading")

    def __init__(self, services: Services, tenant: str, key: str | None = None, *, until: Seconds = inf) -> None:
        self._until = until
        self._services = services
        self._tenant = tenant
        self._key = key
        self._turns: tuple[Turn, ...] = ()
        self.reading = ""

    async def perform(self, part: Step | Tool, arguments: tuple[Any, ...]) -> Any:
        """Call it, under its timeout. What a person must approve of needs a run."""
        if isinstance(part, Tool) and part.approval is not None and part.approval.is_wanted(arguments):
            raise _needs_run(f"the approval of `{part.name}`")
        try:
            if part.batch is not None:
                return await together(self._services, part, self._tenant, "", arguments[0], Timed())
            if part.concurrency is None:
                return await self._call(part, arguments, None)
            turn = await self._services.lines.enter(part, (self._tenant, ""), self._turns)
            try:
                return await self._call(part, arguments, turn)
            finally:
                turn.end()
        except StepFailed:
            raise
        except Exception as error:
            raise failure_of(part, error) from error

    async def _call(self, part: Step | Tool, arguments: tuple[Any, ...], turn: Turn | None) -> Any:
        key = key_of(part, arguments) if isinstance(part, Tool) and part.effect == "write" else None
        until = min(self._until, self._services.clock.now() + part.timeout)
        inside = PlainContext(self._services, self._tenant, key, until=until)
        inside._turns = self._turns if turn is None else (*self._turns, turn)
        offload = self._services.offload if turn is None else turn.offload(self._services.offload)
        token = CURRENT.set(inside)
        try:
            return await call(part.function, arguments, part.timeout, offload)
        finally:
            CURRENT.reset(token)

    async def predict(self, model: Model, features: Any, *, explain: int | None = None) -> Any:
        """The answer of the latest version."""
        version = predicting.latest(self._services, model).version
        asked = predicting.Asked(model, version, features, explain, self._tenant, "", self._turns)
        answer = await predicting.answered(self._services, asked, Timed())
        return model.output.decode(answer) if explain is None else predicting.REASONS.validate_json(answer)

    async def consult(
        self, llm: Llm, request: Request, *, digest: str, shown: bytes, tell: Tell | None = None
    ) -> Answer:
        """Refused: nobody would know what it cost."""
        raise _needs_run(f"asking `{llm.name}`")

    async def ask_llm(self, llm: Llm, prompt: str, *, output: Payload, system: str) -> Any:
        """Refused: nobody would know what it cost."""
        raise _needs_run(f"asking `{llm.name}`")

    async def work(self, agent: Agent, task: str, *, tell: Tell | None = None) -> Outcome[Any]:
        """Refused."""
        raise _needs_run(f"the agent `{agent.name}`")

    async def offer(self, server: ToolServer) -> tuple[Offered, ...]:
        """Refused."""
        raise _needs_run(f"`{server.name}`")

    async def reach(self, server: ToolServer, tool: Offered, arguments: dict[str, Any]) -> Reply:
        """Refused."""
        raise _needs_run(f"`{server.part_of(tool.name)}`")

    async def publish(self, topic: Topic, event: Any) -> None:
        """Publish now; on disk when this returns. Raises Overloaded when the topic is full."""
        await self._services.publish(topic, [new_event(topic, event, self._tenant, "", self._services.clock.now())])

    async def get(self, table: Table, key: str) -> Any:
        """The committed row."""
        row = await self._services.store.row(table.name, self._tenant, str(key))
        return None if row is None else unpack_row(table, row)

    async def scan(self, table: Table, *, after: str, limit: int) -> list[Any]:
        """Committed rows."""
        rows = await self._services.store.rows(table.name, self._tenant, after=after, limit=limit)
        return [unpack_row(table, row) for _, row in rows]

    async def put(self, table: Table, row: Any) -> None:
        """Refused."""
        raise _needs_run(f"writing `{table.name}`")

    async def delete(self, table: Table, key: str) -> None:
        """Refused."""
        raise _needs_run(f"writing `{table.name}`")

    async def remember(self, memory: Memory, text: str, *, scope: str | None, about: Mapping[str, Any]) -> str:
        """Refused."""
        raise _needs_run(f"remembering in `{memory.name}`")

    async def recall(self, memory: Memory, query: str, *, scope: str | None, limit: int) -> list[Recalled]:
        """Committed facts of a scope, which must be named: there is no key here."""
        rows = await rows_of(self._services, memory, self._tenant, _named(memory, scope))
        found, _ = await recalling.nearest(self._services, memory, self._tenant, rows, query, recalling.bounded(limit))
        return [recalling.recalled(one) for one in found]

    async def forget(self, memory: Memory, *, scope: str | None, id: str | None) -> int:
        """Refused."""
        raise _needs_run(f"forgetting in `{memory.name}`")

    async def episodes(self, memory: Memory, *, scope: str | None, limit: int) -> list[Episode]:
        """The latest runs of a key, which must be named."""
        limit = recalling.bounded(limit)
        found = await recalling.happened(self._services.store, self._tenant, _named(memory, scope), limit)
        return [recalling.episode(one) for one in found]

    async def ask(self, who: str, text: str, *, answer: Payload, timeout: Seconds | None, default: Any) -> Any:
        """Refused."""
        raise _needs_run("`ask`")

    async def sleep(self, duration: Seconds) -> None:
        """Wait, as long as the process lives."""
        await self._services.clock.wait(duration)

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.fromtimestamp(self._services.clock.now(), UTC)

    def random(self) -> random.Random:
        """A generator with a fresh seed."""
        return random.Random(self._services.chance.token())

    def uuid(self) -> UUID:
        """A new id."""
        return UUID(hex=self._services.chance.token(), version=4)

    def spend(self, cost: Cost) -> None:
        """Nothing limits what is no run, and nothing is journaled."""

    def tell(self, text: str) -> None:
        """Nobody listens to what is no run."""

    def time_left(self) -> Seconds:
        """Seconds until what is being called is given up."""
        return max(0.0, self._until - self._services.clock.now())

    def idempotency_key(self) -> str:
        """The key of the write that is being called."""
        if self._key is None:
            raise RunError("P301", "there is no idempotency key here", fix="ask for it inside a `write` tool")
        return self._key


def _named(memory: Memory, scope: str | None) -> str:
    if scope is None:
        raise RunError("P301", f"there is no run here whose key `{memory.name}` could go by", fix="name it with scope=")
    return scope


def _needs_run(what: str) -> RunError:
    return RunError(
        "P301", f"{what} needs a durable run", fix="make the endpoint durable (POST), or publish an event to a handler"
    )
