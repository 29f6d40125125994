"""Writes the golden store of format 2, once: what is new in it beside format 1.

Run as ``python tests/golden/journals/make_format2.py``. It refuses to touch a file that is there.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
import tempfile
from pathlib import Path

import format2_desk as desk

from parti.adapters.chance import SystemChance
from parti.engine import retention
from parti.engine.loop import Engine
from parti.ports.store import State, Store
from parti.wiring import open_store

HERE = Path(__file__).parent
DAY = 86400.0
BEGIN = 1767225600.0
"""2026-01-01."""


def engine_on(store: Store, begin: float) -> Engine:
    clock, chance = desk.GivenClock(begin), SystemChance()
    return Engine(desk.archive.design, store=store, clock=clock, chance=chance, offload=asyncio.to_thread)


def paper(id: str) -> bytes:
    return desk.Paper(id=id, text=id[0] * desk.LARGE).model_dump_json().encode()


async def first_life(path: Path) -> None:
    """Runs that end, and are old by the second life; one that is still open then."""
    store = open_store(path, clock=desk.GivenClock(BEGIN))
    engine = engine_on(store, BEGIN)
    await engine.start()
    await engine.publish("papers", [paper("plain")], idempotency_key="first")
    await engine.call("echo", ["e" * desk.LARGE], idempotency_key="once")
    await engine.publish("papers", [paper("old and open")])
    await engine.publish("papers", [paper("plain")])
    await engine.idle()
    await engine.stop()
    await store.close()


async def second_life(path: Path) -> None:
    """What is old is forgotten; then something new is under way when the process ends at once."""
    begin = BEGIN + 60 * DAY
    store = open_store(path, clock=desk.GivenClock(begin))
    engine = engine_on(store, begin)
    await engine.start()
    while await store.run("echo:once") is not None:
        await engine.clock.wait(0.05)
    await engine.publish("papers", [paper("new and open")], idempotency_key="second")
    await engine.call("echo", ["f" * desk.LARGE], idempotency_key="twice")
    while len(await store.questions()) < 2 or len(await store.runs(state=State.WAITING)) < 2:
        await engine.clock.wait(0.05)
    await engine.clock.wait(0.5)
    await engine.abandon()
    await store.close()


def main() -> None:
    files = [HERE / f"format2.{ending}" for ending in ("store.gz", "store.ack")]
    if any(file.exists() for file in files):
        sys.exit("golden files are never regenerated: give a new format new files")
    retention.LOOKS = 0.2  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "format2.parti"
        asyncio.run(first_life(path))
        asyncio.run(second_life(path))
        files[0].write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        files[1].write_bytes(Path(f"{path}.ack").read_bytes())


if __name__ == "__main__":
    main()
