"""A small world for tests of the engine: virtual time, a store that survives crashes, and a system on top."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from parti import PartiError, System, ask
from parti.adapters.vectors import nearest
from parti.adapters.virtual import Faults, SeededChance, VirtualClock, VirtualStore, run_virtual
from parti.agents.gate import Gate
from parti.agents.loop import work
from parti.agents.servers import Servers
from parti.design.llm import Llm
from parti.design.tool_server import ToolServer
from parti.engine.loop import Engine
from parti.journal.entries import Entry, decode
from parti.ports.embedder import Embedder
from parti.ports.store import RunRecord, State, Store
from parti.ports.tool_server import Connection
from parti.testing.live import Live
from parti.testing.script import Script
from parti.testing.words import WordEmbedder
from parti.wiring import labelling_for

T = TypeVar("T")

LATENCY = Faults(latency=(0.001, 0.004))
"""A disk as slow as a good one, so that commits overlap with work."""


class Order(BaseModel):
    """What most topics of these tests carry."""

    id: str
    amount: int = 0


class Count(BaseModel):
    """A row that counts."""

    id: str
    n: int = 0


class World:
    """Time, chance and a disk; systems are started in it one after the other, as processes on one machine would be."""

    def __init__(self, clock: VirtualClock, *, replay_each: bool, faults: Faults = LATENCY) -> None:
        self.clock = clock
        self.replay_each = replay_each
        self.chance = SeededChance("engine")
        self.store = VirtualStore(clock, SeededChance("disk"), faults)

    @asynccontextmanager
    async def running(
        self,
        system: System,
        *,
        stand_ins: bool = False,
        crash: bool = False,
        grace: float = 10.0,
        script: Script | dict[str, Script] | None = None,
        embedder: Embedder | None = None,
        connect: Callable[[ToolServer], Connection] | None = None,
    ) -> AsyncIterator[Live]:
        """The system while the block runs; then it is stopped, or with `crash` it just ends."""
        engine = Engine(
            system.design,
            store=self.store,
            clock=self.clock,
            chance=self.chance,
            offload=asyncio.to_thread,
            stand_ins=stand_ins,
            replay_each=self.replay_each,
            llms=None if script is None else Gate(system.design, lambda llm: _of(script, llm), self.clock, self.chance),
            agents=work,
            embedder=embedder or WordEmbedder(),
            nearest=nearest,
            servers=None if connect is None else Servers(connect, self.clock, self.chance),
            labelling=labelling_for(system.design),
        )
        await engine.start()
        try:
            yield Live(engine, Path("virtual"))
        finally:
            if crash:
                self.store = self.store.survivor()
                await engine.abandon()
            else:
                await engine.stop(grace)
        if not crash and engine.failure.done():
            engine.failure.result()


def _of(script: Script | dict[str, Script], llm: Llm) -> Script:
    return script if isinstance(script, Script) else script[llm.name]


Play = Callable[[Callable[[World], Coroutine[Any, Any, T]]], T]


def play(main: Callable[[World], Coroutine[Any, Any, T]], *, replay_each: bool = False, faults: Faults = LATENCY) -> T:
    """What `main` returns, played in a world of its own in virtual time."""
    return run_virtual(lambda clock: main(World(clock, replay_each=replay_each, faults=faults)))


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, in real time."""
    return asyncio.run(coroutine)


def orders(*ids: str) -> list[bytes]:
    """One order of each id, as JSON; amounts count from 0."""
    return [to_json({"id": id, "amount": index}) for index, id in enumerate(ids)]


async def the_run(live: Live, part: str = "") -> RunRecord:
    """The only run (of a part)."""
    (found,) = await live.store.runs(part=part)
    return found


async def wait_for_state(live: Live, state: State, part: str = "") -> RunRecord:
    """The first run (of a part) to stand in that state on the disk."""
    for _ in range(10_000):
        found = await live.store.runs(part=part, state=state)
        if found:
            return found[-1]
        await live.engine.clock.wait(0.01)
    raise AssertionError(f"no run became {state}: {await live.store.runs()}")


async def wait_until(live: Live, holds: Callable[[], bool]) -> None:
    """Return once something holds."""
    for _ in range(10_000):
        if holds():
            return
        await live.engine.clock.wait(0.01)
    raise AssertionError("it never came about")


async def entries_of(store: Store, run: str) -> list[Entry]:
    """The journal of a run."""
    return [entry for row in await store.journal(run) for entry in decode(row.body)]


async def kinds_of(store: Store, run: str) -> list[str]:
    """The kinds of a run's journal entries, in order."""
    return [entry.kind for entry in await entries_of(store, run)]


async def result_of(live: Live, endpoint: str, *arguments: Any, **options: Any) -> Any:
    """What a durable endpoint answers, as JSON values."""
    return from_json((await live.call(endpoint, arguments, **options)).result)


async def code_of(work: Coroutine[Any, Any, Any]) -> str:
    """The code of the error that `work` raises."""
    try:
        answer = await work
    except PartiError as error:
        return error.code
    raise AssertionError(f"it answered {answer!r}")


@dataclass
class Outside:
    """The world outside: letters that were posted, by idempotency key."""

    posted: list[str] = field(default_factory=list)
    calls: int = 0


def failing_desk(tries: list[float], until: int = 10**9, **options: Any) -> System:
    """A desk whose handler fails `until` it has been tried so often; orders with an amount pass."""
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic, **options)
    async def handle(order: Order) -> None:
        if order.amount == 0:
            tries.append(asyncio.get_running_loop().time())
            if len(tries) < until:
                raise ValueError(f"no {order.id}")

    return desk


def asking_desk(asked: list[Any], **options: Any) -> System:
    """A desk whose handler asks the underwriter about every order, and notes what it is told."""
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        if order.amount == 0:
            asked.append(await ask("underwriter", f"Approve {order.id}?", **options))
        else:
            asked.append(order.amount)

    return desk
