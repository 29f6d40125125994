"""A live system inside a test: a real engine on a real store, on a loopback address where HTTP is wanted."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from parti.declare.system import System
from parti.design.llm import Llm
from parti.engine.loop import Engine
from parti.ports.embedder import Embedder
from parti.ports.llm import Provider
from parti.ports.operations import Outcome, Published
from parti.ports.store import Store
from parti.testing.script import Script
from parti.wiring import Providers, new_engine, open_store, provider_for


class Live:
    """A running system. `engine` offers everything; the methods here are what tests mostly need."""

    def __init__(self, engine: Engine, path: Path, url: str = "", token: str = "") -> None:
        self.engine = engine
        self.path = path
        self.url = url
        self.token = token

    @property
    def store(self) -> Store:
        """What the system has stored; see parti.ports.store."""
        return self.engine.store

    async def call(self, endpoint: str, arguments: Sequence[Any], **options: Any) -> Outcome:
        """Run a durable endpoint; returns when its end is on disk."""
        return await self.engine.call(endpoint, arguments, **options)

    async def publish(self, topic: str, payloads: Sequence[bytes], **options: Any) -> Published:
        """Publish events (JSON); returns when they are on disk."""
        return await self.engine.publish(topic, payloads, **options)

    async def idle(self, within: float = 30.0) -> None:
        """Return when no work is left. Raises TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            await self.engine.idle()

    async def answer_all(self, answer: bytes, by: str = "test") -> int:
        """Answer every open question; how many there were."""
        questions = await self.store.questions()
        for question in questions:
            await self.engine.answer(question.id, answer, by=by)
        return len(questions)

    async def rows(self, table: str, tenant: str = "main") -> dict[str, Any]:
        """The committed rows of a table, by key."""
        found = await self.store.rows(table, tenant, after="", limit=100_000)
        return {key: from_json(row)[1] for key, row in found}

    async def events(self, topic: str) -> list[Any]:
        """The payloads of a topic, partition after partition."""
        values: list[Any] = []
        for name, partition in sorted(await self.store.ends()):
            if name == topic:
                page = await self.store.events(topic, partition, start=0, limit=100_000)
                values.extend(from_json(event.payload) for event in page)
        return values


@asynccontextmanager
async def running(
    system: System,
    path: str | Path | None = None,
    *,
    http: bool = False,
    stand_ins: bool = False,
    replay_each: bool = False,
    script: Script | Mapping[str, Script] | None = None,
    embedder: Embedder | None = None,
) -> AsyncIterator[Live]:
    """Run `system` on the SQLite store at `path` (none: a temporary one) until the block ends.

    `http` serves it on a free loopback port. `replay_each` starts every run again after each of its steps, which must
    change nothing. `script` answers in place of all language models, or of those that it names; `embedder` embeds
    what is remembered in place of the embedded model.
    """
    async with AsyncExitStack() as stack:
        folder = path or stack.enter_context(tempfile.TemporaryDirectory())
        file = Path(folder) / "test.parti" if path is None else Path(folder)
        store = open_store(file)
        stack.push_async_callback(store.close)
        engine = new_engine(
            system.design, store, stand_ins=stand_ins, replay_each=replay_each, providers=_played(script),
            embedder=embedder,
        )  # fmt: skip
        await engine.start()
        stack.push_async_callback(engine.stop)
        live = Live(engine, file)
        if http:
            from parti.wiring import serving  # noqa: PLC0415 HTTP only where it is wanted

            live.url, live.token = await stack.enter_async_context(serving(engine))
        yield live


def _played(script: Script | Mapping[str, Script] | None) -> Providers:
    """Who answers for each language model."""

    def make(llm: Llm) -> Provider:
        if isinstance(script, Script):
            return script
        return script[llm.name] if script is not None and llm.name in script else provider_for(llm)

    return make
