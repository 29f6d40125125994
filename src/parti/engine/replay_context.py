"""The context of a replay by other code: what the journal does not answer is held where it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from parti.design.agent import Agent
from parti.design.llm import Llm
from parti.design.memory import Episode, Memory, Recalled
from parti.design.model import Model
from parti.design.outcome import Outcome
from parti.design.payload import Payload
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import Offered, ToolServer
from parti.engine import gates, tainting
from parti.engine.context import RunContext
from parti.engine.witness import Anew, Witness
from parti.errors import PartiError
from parti.ports.llm import Answer, Request, Tell
from parti.units import Seconds


class ReplayContext(RunContext):
    """A branch of a run in a replay. Implements ports.context.Context; what has an effect never gets that far."""

    __slots__ = ()

    async def _watched(self, asking: Awaitable[Any], what: str = "") -> Any:
        """The answer of the journal, or none ever: then `what` is held. The task that asked ends with the replay."""
        witness = self.run.recorded
        assert isinstance(witness, Witness)
        path = f"{self.path}/{self.uses + 1}"
        try:
            answer = await asking
        except Anew as anew:
            witness.hold(anew, path, what)
            return await asyncio.get_running_loop().create_future()
        except PartiError as wrong:
            witness.meet(wrong, self.run.record.error)
            raise
        witness.settle(path)
        return answer

    async def perform(self, part: Step | Tool, arguments: tuple[Any, ...]) -> Any:
        """See ports.context.Context."""
        return await self._watched(super().perform(part, arguments))

    async def let_out(self, answer: Any) -> Any:
        """What of the function's answer goes on, past the gates that its journal knows."""
        return (
            await self._watched(tainting.let_out(self, answer), "what it answers")
            if gates.any_asked(self.run)
            else answer
        )

    async def predict(self, model: Model, features: Any, *, explain: int | None = None) -> Any:
        """See ports.context.Context."""
        return await self._watched(super().predict(model, features, explain=explain))

    async def consult(
        self, llm: Llm, request: Request, *, digest: str, shown: bytes, tell: Tell | None = None
    ) -> Answer:
        """See ports.context.Context."""
        asking = super().consult(llm, request, digest=digest, shown=shown, tell=tell)
        return await self._watched(asking)  # type: ignore[no-any-return]

    async def ask_llm(self, llm: Llm, prompt: str, *, output: Payload, system: str) -> Any:
        """See ports.context.Context."""
        return await self._watched(super().ask_llm(llm, prompt, output=output, system=system))

    async def work(self, agent: Agent, task: str, *, tell: Tell | None = None) -> Outcome[Any]:
        """See ports.context.Context."""
        return await self._watched(super().work(agent, task, tell=tell))  # type: ignore[no-any-return]

    async def offer(self, server: ToolServer) -> tuple[Offered, ...]:
        """See ports.context.Context."""
        return await self._watched(super().offer(server))  # type: ignore[no-any-return]

    async def get(self, table: Table, key: str) -> Any:
        """See ports.context.Context."""
        return await self._watched(super().get(table, key))

    async def scan(self, table: Table, *, after: str, limit: int) -> list[Any]:
        """See ports.context.Context."""
        return await self._watched(super().scan(table, after=after, limit=limit))  # type: ignore[no-any-return]

    async def remember(self, memory: Memory, text: str, *, scope: str | None, about: Mapping[str, Any]) -> str:
        """See ports.context.Context."""
        return await self._watched(super().remember(memory, text, scope=scope, about=about))  # type: ignore[no-any-return]

    async def recall(self, memory: Memory, query: str, *, scope: str | None, limit: int) -> list[Recalled]:
        """See ports.context.Context."""
        return await self._watched(super().recall(memory, query, scope=scope, limit=limit))  # type: ignore[no-any-return]

    async def forget(self, memory: Memory, *, scope: str | None, id: str | None) -> int:
        """See ports.context.Context."""
        return await self._watched(super().forget(memory, scope=scope, id=id))  # type: ignore[no-any-return]

    async def episodes(self, memory: Memory, *, scope: str | None, limit: int) -> list[Episode]:
        """See ports.context.Context."""
        return await self._watched(super().episodes(memory, scope=scope, limit=limit))  # type: ignore[no-any-return]

    async def ask(self, who: str, text: str, *, answer: Payload, timeout: Seconds | None, default: Any) -> Any:
        """See ports.context.Context."""
        return await self._watched(
            super().ask(who, text, answer=answer, timeout=timeout, default=default), f"the question {text!r}"
        )

    async def sleep(self, duration: Seconds) -> None:
        """See ports.context.Context."""
        await self._watched(super().sleep(duration))
