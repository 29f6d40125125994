"""What stands in for the outside in an audit: scripted tools, servers and embeddings; nothing is called but what was named.

The design of an audit is derived from the system's own, as that of an evaluation is: what starts work by itself is left out, so
that the audit says what comes in, and schedules are endpoints, so that it says when.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic_core import from_json, to_json

from parti.auditing.leaves import leaves, replaced
from parti.auditing.making import Maker, of_pattern, pattern_at
from parti.auditing.planting import Planter
from parti.auditing.spotting import spot
from parti.design.agent import Agent
from parti.design.budget import NO_COST
from parti.design.dataflow import Slot
from parti.design.endpoint import Endpoint
from parti.design.fields import free_texts
from parti.design.function import Function
from parti.design.goals import NO_RETRY
from parti.design.graph import Design, Part
from parti.design.guard import Guard
from parti.design.handler import Handler
from parti.design.labels import Label
from parti.design.llm import Llm
from parti.design.monitor import Monitor
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.design.step import Step
from parti.design.tool import Tool
from parti.design.tool_server import Offered, ToolServer
from parti.errors import RunError
from parti.ports.tool_server import Offer, Reply

CALLS_MAX: Final = 500
"""Runs or calls of one part in an audit, and 20 more for each input: a system that goes round in circles ends here."""

TURNS: Final = 64
"""Turns that an agent has at least, so that the worst model can call all its tools."""

Stand = Callable[..., Any]
"""A function with the parameters of the tool that it stands in for."""


@dataclass(slots=True)
class Outside:
    """Answers for what lies outside. `real` tools are called; `instead` of others a function is, or `answers` (JSON) are given in turn."""

    planter: Planter
    real: frozenset[str] = frozenset()
    instead: Mapping[str, Stand] = field(default_factory=dict)
    answers: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    calls_max: int = CALLS_MAX
    called: Counter[str] = field(default_factory=Counter)
    ids: set[Slot] = field(default_factory=set)
    """Nominal ids that guards gave: what strangers wrote into them was taken out, since an id is a release."""

    def is_scripted(self, part: Part) -> bool:
        """Whether the answers of a part are made up, so that nothing can be learned of them."""
        if isinstance(part, ToolServer):
            return True
        mine = part.name in self.real or part.name in self.instead
        return isinstance(part, Tool) and part.effect != "none" and not mine

    def design(self, design: Design) -> Design:
        """The design of the audit."""
        parts = tuple(self._derived(part) for part in design.parts if not isinstance(part, Source | Monitor))
        names = {part.name for part in parts}
        arrows = tuple(arrow for arrow in design.arrows if arrow.source in names)
        return Design(design.name, parts, arrows, place=design.place, root=design.root)

    def _derived(self, part: Part) -> Part:
        match part:
            case Schedule():
                return Endpoint(
                    name=part.name, place=part.place, method="POST", path=f"/{part.name}", durable=True, key=None, body=None,
                    function=self._counted(part.name, part.function), timeout=part.timeout, concurrency=self.calls_max,
                )  # fmt: skip
            case Handler():
                return replace(part, function=self._counted(part.name, part.function), retry=NO_RETRY, budget=None)
            case Endpoint():
                return replace(part, durable=True, budget=None, expose=())  # a run has a journal
            case Agent():
                return replace(part, budget=None, expose=(), turns=max(part.turns, TURNS), repairs=max(part.repairs, 3))
            case Guard():
                return replace(part, function=self._bounded(part), retry=NO_RETRY)
            case Step():
                return replace(part, retry=NO_RETRY)
            case Tool():
                function = replace(part.function, call=self._answering(part), is_async=True)
                return replace(
                    part, function=function, retry=NO_RETRY, idempotent=True, reconcile=None, cost=NO_COST, approval=None,
                    batch=None,
                )  # fmt: skip
            case ToolServer():
                return replace(part, pin="", cost=NO_COST, approval=None)
            case Llm():
                return replace(part, fallbacks=(), attempts=1, cache=False, per_minute=None, price=None)
        return part

    def count(self, part: str) -> int:
        """How often the part was called before. Raises P307 for one that is called for ever."""
        before = self.called[part]
        self.called[part] += 1
        if before >= CALLS_MAX:
            raise RunError(
                "P307", f"`{part}` was called more than {CALLS_MAX:,} times in one audit", fix="bound the loop"
            )
        return before

    def _counted(self, name: str, function: Function) -> Function:
        real = function.call
        if not function.is_async:

            def call(*arguments: Any) -> Any:
                self.count(name)
                return real(*arguments)

            return replace(function, call=call)

        async def work(*arguments: Any) -> Any:
            self.count(name)
            return await real(*arguments)

        return replace(function, call=work)

    def _answering(self, tool: Tool) -> Callable[..., Any]:
        """A recorder in the place of a tool, whose answers carry marks where they are untrusted."""

        async def answer(*arguments: Any) -> Any:
            number = self.count(tool.name)
            returns = tool.function.returns
            body = from_json(returns.encode(await self._made(tool, arguments, number)))
            return returns.decode(to_json(self.planter.value(tool.name, "out", returns, body)))

        return answer

    async def _made(self, tool: Tool, arguments: tuple[Any, ...], number: int) -> Any:
        function = self.instead.get(tool.name)
        if function is None and not self.is_scripted(tool):
            if tool.batch is not None:
                return (await _awaited(tool.function.call([arguments[0]])))[0]
            function = tool.function.call
        if function is not None:
            return await _awaited(function(*arguments))
        given = self.answers.get(tool.name)
        returns = tool.function.returns
        body = given[number % len(given)] if given else Maker(returns.schema, number=number % 2, seed=1).make()
        return returns.decode(to_json(body))

    def _bounded(self, guard: Guard) -> Function:
        """The guard as it is, but for marks in its nominal ids: which id a stranger named is what it may say."""
        if Label.UNTRUSTED not in guard.releases:
            return guard.function
        real, returns = guard.function.call, guard.function.returns
        free = set(free_texts(returns.kind))

        async def call(*arguments: Any) -> Any:
            body = from_json(returns.encode(await _awaited(real(*arguments))))
            for leaf in list(leaves(returns.kind, body)):
                bounded = leaf.path not in free and isinstance(leaf.value, str)
                if bounded and spot(leaf.value, self.planter.marks):
                    self.ids.add(Slot(guard.name, "out", leaf.path))
                    pattern = pattern_at(returns.schema, leaf.steps)
                    body = replaced(body, leaf.steps, of_pattern(pattern, guard.name) if pattern else "id")
            return returns.decode(to_json(body))

        return replace(guard.function, call=call, is_async=True)

    # Implements ports.tool_server.ToolServers

    async def offer(self, server: ToolServer) -> Offer:
        """What the declaration says that a server offers; where it says nothing, one tool that takes a text."""
        if server.operations:
            wanted = [one for name, one in server.operations.items() if server.wants(name)]
            return Offer(tuple(Offered(one.name, one.about, one.schema, _reach(server, one.name)) for one in wanted))
        names = [name for name in server.only if not set(name) & set("*?[")] or ["anything"]
        schema = {"type": "object", "properties": {"text": {"type": "string"}}}
        return Offer(tuple(Offered(name, "", schema, _reach(server, name)) for name in names))

    async def call(self, server: ToolServer, tool: Offered, arguments: Mapping[str, Any], *, key: str) -> Reply:
        """A marked answer."""
        self.count(server.name)
        return Reply(self.planter.text(server.name, "out", "text"))

    async def close(self) -> None:
        """Nothing is held."""


def _reach(server: ToolServer, name: str) -> Any:
    """Nothing is called, so what writes may as well be written again."""
    return "read" if server.reaches.get(name) == "read" else "idempotent"


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
