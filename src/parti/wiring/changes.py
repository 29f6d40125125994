"""Changing what is stored: through the process that holds the store, or by an engine at rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from parti.adapters.clock import SystemClock
from parti.adapters.remote import Remote
from parti.adapters.sqlite import describe_holder, open_store
from parti.design.graph import Design
from parti.engine.loop import Engine
from parti.units import Seconds
from parti.wiring.engines import new_engine

PATIENCE: Final[Seconds] = 3.0
"""How long to wait for another process to say where it listens, or to let go of the store."""


@asynccontextmanager
async def changing(path: Path, design: Callable[[], Design], token: str) -> AsyncIterator[Engine | Remote]:
    """Something that changes what is stored at `path`: the process that holds the store, or an engine at rest.

    `design` is only asked for when no process runs; `token` opens the routes of the one that does.
    Raises P201 when a process holds the store and cannot be talked to, and what opening a store raises.
    """
    url = await _wait_for_holder(path)
    if url:
        yield Remote(url, token)
        return
    declared = design()
    store = open_store(path)
    try:
        engine = new_engine(declared, store, works=False)
        await engine.start(work=False)
        try:
            async with _while_it_lives(engine):
                yield engine
        finally:
            await engine.stop()
    finally:
        await store.close()


@asynccontextmanager
async def _while_it_lives(engine: Engine) -> AsyncIterator[None]:
    """Leave the block with what ended the engine, if anything does: nobody else would answer what the block awaits."""
    task = asyncio.current_task()
    assert task is not None
    engine.failure.add_done_callback(lambda failure: failure.cancelled() or task.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if not engine.failure.done():
            raise
        task.uncancel()
        await engine.failure


async def _wait_for_holder(path: Path) -> str:
    """The URL of the process that holds the store; "" when none does, or none that says where it listens."""
    clock = SystemClock()
    until = clock.now() + PATIENCE
    while True:
        holder = describe_holder(path)
        url = str(holder.get("url", "")) if holder else ""
        if url or holder is None or clock.now() > until:
            return url
        await clock.wait(0.05)


def default_path(app: Path, system: str) -> Path:
    """Where the store of an app lies unless it is told otherwise: beside the app file, named after the system."""
    return app.parent / f"{system}.parti"
