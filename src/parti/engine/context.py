"""The context of a run: what its parts do when its function uses them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from contextvars import Context, copy_context
from datetime import UTC, datetime
from hashlib import blake2b
from math import inf
from typing import Any
from uuid import UUID

from pydantic_core import to_json

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
from parti.engine import (
    consulting,
    gates,
    making,
    offering,
    predicting,
    recalling,
    remembering,
    steps,
    tainting,
    veiling,
    waiting,
    working,
)
from parti.engine.accounts import Account
from parti.engine.activation import Activation, Unwinding
from parti.engine.budgets import Told
from parti.engine.rows import pack_row, unpack_row
from parti.engine.stints import Stint
from parti.engine.turns import Turn
from parti.errors import RunError
from parti.journal.entries import Kind
from parti.journal.identity import partition_of, step_digest
from parti.ports.context import CURRENT
from parti.ports.llm import Answer, Request, Tell
from parti.ports.store import NewEvent
from parti.ports.tool_server import Reply
from parti.trust.taint import Quarantine
from parti.trust.trail import Trail
from parti.units import Seconds


class RunContext:
    """One branch of a run: the function itself, a task it started, or the inside of a step.

    Branches are named by the order in which they were started ("", "0", "0.1"), so that steps running at once are told
    apart the same way in every replay. Implements ports.context.Context.
    """

    __slots__ = (
        "_asked",
        "_branches",
        "_chance",
        "_ids",
        "_key",
        "account",
        "called",
        "path",
        "quarantine",
        "reading",
        "run",
        "stints",
        "told",
        "trail",
        "turns",
        "until",
        "uses",
    )

    def __init__(
        self,
        run: Activation,
        path: str,
        key: str | None = None,
        *,
        until: Seconds = inf,
        account: Account | None = None,
    ) -> None:
        self.run = run
        self.path = path
        self._key = key
        self.until = until
        """When what surrounds it is given up: the earliest timeout of all around but stints, in seconds since 1970."""
        self.stints: tuple[Stint, ...] = ()
        """The seconds at work of the agents that it works for."""
        self.account = account
        """Where what its calls cost is taken from; None while nothing limits the run."""
        self.turns: tuple[Turn, ...] = ()
        """The turns of limited parts that it works in."""
        self.called = False
        """Whether it is inside of a tool or step, which a replay does not call again."""
        self.told = Told()
        """What the call that it is the inside of says it has cost so far; shared with the tasks that it starts."""
        self.quarantine: Quarantine | None = None
        """What the guard that it is inside of releases, and has read of that."""
        self.trail: Trail | None = None
        """Where its values came from; None while nothing traces them."""
        self.reading = ""
        """See ports.context.Context."""
        self._branches = 0
        self._chance: random.Random | None = None
        self._ids = 0
        self._asked: dict[tuple[str, str], int] | None = None
        self.uses = 0
        """How many parts this branch has used."""

    def branch(self) -> RunContext:
        """The context of a task started here."""
        name = f"{self.path}.{self._branches}" if self.path else str(self._branches)
        self._branches += 1
        self.run.branched = True
        branch = type(self)(self.run, name, self._key, until=self.until, account=self.account)
        branch.told, branch.called, branch.reading = self.told, self.called, self.reading
        branch.stints, branch.turns, branch.trail = self.stints, self.turns, self.trail
        branch.quarantine = self.quarantine
        return branch

    def inside(self, key: str | None = None) -> RunContext:
        """The context of the inside of the step that is being called: no other call, equal or not, shares its name."""
        inside = type(self)(self.run, f"{self.path}/{self.uses}", key, until=self.until, account=self.account)
        inside.called, inside.stints, inside.turns, inside.trail = True, self.stints, self.turns, self.trail
        inside.quarantine = self.quarantine
        return inside

    def question(self, who: str, text: str, *, counts: bool = True) -> str:
        """A short name for a question of this branch: equal questions are told apart by their order, those that `counts`."""
        asked, known = (who, text), self._asked or {}
        times = known.get(asked, 0) + 1
        if counts:
            self._asked = {**known, asked: times}
        return step_digest(to_json([self.path, who, text, times]))

    def check(self, arrow: str) -> None:
        """Refuse work while the run is taken down; report an arrow that the design does not have."""
        self._refuse_while_reading()
        self.uses += 1
        self.refuse_when_over()
        self.report(arrow)

    def _refuse_while_reading(self) -> None:
        """A replay gets a stream in other pieces: what is done for each would be done another number of times."""
        if self.reading:
            raise RunError(
                "P301",
                f"no part can be used between the pieces of what `{self.reading}` says",
                place=self.run.runner.place,
                fix="collect the text, and use parts once the stream is read to its end; `parti.tell` may be used before",
            )

    def report(self, arrow: str) -> None:
        """Report an arrow that the design does not have, once."""
        run = self.run
        if arrow not in run.allowed and run.services.meet(run.runner.name, arrow):
            kind, target = arrow.split(" ", 1)
            run.note(Kind.ARROW, self.path, target, "", run.services.clock.now(), 0.0, to_json(kind), b"null")

    def refuse_when_over(self) -> None:
        """Raise CancelledError while the run is taken down."""
        if self.run.unwinding is not Unwinding.NO:
            raise asyncio.CancelledError(self.run.unwinding.name)

    async def perform(self, part: Step | Tool, arguments: tuple[Any, ...]) -> Any:
        """See ports.context.Context."""
        self.check(part.arrow)
        if (
            type(part) is not Step
        ):  # an evaluation's design has recorders in the place of writes, an audit's of guards, too
            own = self.run.services.design.by_name.get(part.name)
            part = own if isinstance(own, Step | Tool) and type(own) is type(part) else part
            if type(part) is Tool and part.server:
                self.run.services.remote[part.name] = part
        return await (tainting.make if gates.any_asked(self.run) else making.make)(self, part, arguments)

    async def predict(self, model: Model, features: Any, *, explain: int | None = None) -> Any:
        """See ports.context.Context."""
        self.check(f"calls {model.name}")
        answer = await predicting.predict(self, model, features, explain)
        tainting.read(self, model.name)
        veiling.learn(self.run, model, answer if explain is None else None)
        return answer

    async def consult(
        self, llm: Llm, request: Request, *, digest: str, shown: bytes, tell: Tell | None = None
    ) -> Answer:
        """See ports.context.Context."""
        self.check(llm.arrow)
        return await consulting.consult(self, llm, request, digest, shown, tell)

    async def ask_llm(self, llm: Llm, prompt: str, *, output: Payload, system: str) -> Any:
        """See ports.context.Context."""
        self.check(llm.arrow)
        return await consulting.ask(self, llm, prompt, output, system)

    async def work(self, agent: Agent, task: str, *, tell: Tell | None = None) -> Outcome[Any]:
        """See ports.context.Context."""
        self.check(agent.arrow)
        own = self.run.services.design.by_name.get(agent.name)
        if (
            type(own) is Agent and own.template is not agent.template
        ):  # a search for a better prompt tries another wording
            agent = own.given_again(agent.given)
        return await working.work(self, agent, task, tell)

    async def offer(self, server: ToolServer) -> tuple[Offered, ...]:
        """See ports.context.Context."""
        self.check(server.arrow)
        tools = await offering.offer(self, server)
        tainting.read(self, server.name)
        return tools

    async def reach(self, server: ToolServer, tool: Offered, arguments: dict[str, Any]) -> Reply:
        """See ports.context.Context."""
        self._must_be_inside(f"`{server.part_of(tool.name)}`")
        return await offering.reach(self.run.services, server, tool, arguments, self._key or "")

    async def publish(self, topic: Topic, event: Any) -> None:
        """See ports.context.Context."""
        self.check(f"publishes {topic.name}")
        run = self.run
        if gates.any_asked(run):
            event = await gates.at_topic(self, topic, event)
        run.events.append(new_event(topic, event, run.record.tenant, run.record.id, run.services.clock.now()))

    async def get(self, table: Table, key: str) -> Any:
        """See ports.context.Context."""
        self.check(f"reads {table.name}")
        run, place = self.run, (table.name, self.run.record.tenant, str(key))
        if place in run.rows and not run.branched:
            own = run.rows[place]
            return None if own is None else unpack_row(table, own)
        return tainting.read_row(self, table, str(key), await steps.read(self, table, place))

    async def scan(self, table: Table, *, after: str, limit: int) -> list[Any]:
        """See ports.context.Context."""
        self.check(f"reads {table.name}")
        rows = await steps.scan(self, table, after, limit)
        if rows:
            tainting.read_rows(self, table, rows)
        return rows

    async def put(self, table: Table, row: Any) -> None:
        """See ports.context.Context."""
        self.check(f"writes {table.name}")
        settled = table.payload.coerce(row)
        self._own(table, str(getattr(settled, table.key)), pack_row(table, settled))

    async def delete(self, table: Table, key: str) -> None:
        """See ports.context.Context."""
        self.check(f"writes {table.name}")
        self._own(table, str(key), None)

    def _own(self, table: Table, key: str, row: bytes | None) -> None:
        run = self.run
        if key != run.key:
            raise RunError(
                "P305",
                f"{run.record.id} has the key {run.key!r} and writes the row {key!r} of `{table.name}`",
                place=run.runner.place,
                fix="write the run's own row, and publish an event for others",
            )
        run.rows[table.name, run.record.tenant, key] = row

    async def remember(self, memory: Memory, text: str, *, scope: str | None, about: Mapping[str, Any]) -> str:
        """See ports.context.Context."""
        self.check(f"writes {memory.name}")
        return await remembering.remember(self, memory, text, scope, about)

    async def recall(self, memory: Memory, query: str, *, scope: str | None, limit: int) -> list[Recalled]:
        """See ports.context.Context."""
        self.check(f"reads {memory.name}")
        found = await recalling.recall(self, memory, query, scope, limit)
        if found:
            tainting.read(self, memory.name)
            veiling.learn_recalled(self.run, memory, found)
        return found

    async def forget(self, memory: Memory, *, scope: str | None, id: str | None) -> int:
        """See ports.context.Context."""
        self.check(f"writes {memory.name}")
        return await remembering.forget(self, memory, scope, id)

    async def episodes(self, memory: Memory, *, scope: str | None, limit: int) -> list[Episode]:
        """See ports.context.Context."""
        self.check(f"reads {memory.name}")
        found = await recalling.episodes(self, memory, scope, limit)
        if found:
            tainting.read_episodes(self, found)
        return found

    async def ask(self, who: str, text: str, *, answer: Payload, timeout: Seconds | None, default: Any) -> Any:
        """See ports.context.Context."""
        self.check(f"asks {who}")
        said = await waiting.ask(self, waiting.Asking(who, text, answer, timeout, default))
        if self.trail is not None:
            self.trail.learn(f"what {who} said", answer.kind, said, (), named=True, task=True)
        return said

    async def sleep(self, duration: Seconds) -> None:
        """See ports.context.Context."""
        self.check("")
        await waiting.sleep(self, duration)

    def now(self) -> datetime:
        """See ports.context.Context."""
        self._refuse_while_reading()
        run = self.run
        known = run.recorded.take(self.path, "now", "") if run.recorded else None
        at: Seconds = known.answer if known else round(run.services.clock.now(), 6)
        if not known:
            run.note(Kind.NOW, self.path, "now", "", at, 0.0, b"null", b"%.6f" % at)
        return datetime.fromtimestamp(at, UTC)

    def random(self) -> random.Random:
        """See ports.context.Context."""
        self._refuse_while_reading()
        if self._chance is None:
            self._chance = random.Random(self._drawn("random"))
        return self._chance

    def uuid(self) -> UUID:
        """See ports.context.Context."""
        self._refuse_while_reading()
        self._ids += 1
        return UUID(bytes=self._drawn(f"uuid {self._ids}"), version=4)

    def _drawn(self, what: str) -> bytes:
        run = self.run
        text = f"{run.record.id}\0{self.path}\0{what}"
        return blake2b(text.encode(), key=run.services.secret, digest_size=16).digest()

    def idempotency_key(self) -> str:
        """See ports.context.Context."""
        if self._key is None:
            raise RunError("P301", "there is no idempotency key here", fix="ask for it inside a `write` tool")
        return self._key

    def spend(self, cost: Cost) -> None:
        """See ports.context.Context."""
        self._must_be_inside("what is spent")
        self.told.add(cost)

    def tell(self, text: str) -> None:
        """See ports.context.Context."""
        self.refuse_when_over()
        self.run.tell(text)

    def time_left(self) -> Seconds:
        """See ports.context.Context."""
        self._must_be_inside("the time left")
        until = min([self.until, *(stint.ends for stint in self.stints)])
        return max(0.0, until - self.run.services.clock.now())

    def _must_be_inside(self, what: str) -> None:
        if "/" not in self.path:
            raise RunError(
                "P301", f"{what} is known inside a tool or step alone", fix="a handler is replayed: ask inside a tool"
            )


def new_event(topic: Topic, event: Any, tenant: str, cause: str, at: Seconds) -> NewEvent:
    """`event` as it will be stored. Raises P402 when it does not fit the topic's type."""
    settled = topic.payload.coerce(event)
    key = str(getattr(settled, topic.key))
    partition = partition_of(tenant, key, topic.partitions)
    return NewEvent(topic.name, partition, tenant, key, topic.payload.encode(settled), topic.payload.digest, at, cause)


def branching(
    loop: asyncio.AbstractEventLoop, coroutine: Any, context: Context | None = None, **options: Any
) -> asyncio.Task[Any]:
    """A task factory for the event loop: tasks that a run starts become branches of it."""
    surrounding = CURRENT.get()
    if not isinstance(surrounding, RunContext):
        return asyncio.Task(coroutine, loop=loop, context=context, **options)
    branch, branches = surrounding.branch(), surrounding.run.branches
    inner = context or copy_context()
    inner.run(CURRENT.set, branch)
    task = asyncio.Task(coroutine, loop=loop, context=inner, **options)
    branches[task] = branch
    task.add_done_callback(branches.pop)
    return task
