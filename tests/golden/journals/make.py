"""Writes the golden store of a format, once: open runs in every state, as a crash leaves them.

Run as ``python tests/golden/journals/make.py``. It refuses to touch a file that is there.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import format1_desk as desk

from parti.adapters.chance import SystemChance
from parti.engine.loop import Engine
from parti.errors import RunError
from parti.ports.store import ModelVersion, State, Store
from parti.wiring import open_store

HERE = Path(__file__).parent
YEAR = 31557600.0
BEGIN = 1767225600.0
"""2026-01-01."""

WANTED = {
    "cases:0": State.DONE,
    "cases:1": State.DEAD,
    "cases:2": State.CANCELLED,
    "cases:3": State.WAITING,
    "cases:4": State.QUEUED,
    "cases:5": State.WAITING,
    "cases:6": State.WAITING,
    "cases:7": State.BACKOFF,
    "cases:8": State.RUNNING,
    "cases:9": State.RUNNING,
    "cases:10": State.PARKED,
    "cases:11": State.PARKED,
    "cases:12": State.RUNNING,
    "cases:13": State.RUNNING,
    "cases:14": State.RUNNING,
    "cases:15": State.RUNNING,
    "cases:16": State.DONE,
    "cases:17": State.RUNNING,
    "cases:18": State.WAITING,
}
"""The state of the run of each event, by offset."""


def engine_on(store: Store, begin: float) -> Engine:
    """An engine whose time begins there."""
    return Engine(
        desk.archive.design, store=store, clock=desk.GivenClock(begin), chance=SystemChance(), offload=asyncio.to_thread,
        scorer=desk.GivenScorer(),
    )  # fmt: skip


def case(id: str, kind: str, amount: int = 1) -> bytes:
    return desk.Case(id=id, kind=kind, amount=amount).model_dump_json().encode()


async def first_life(path: Path) -> None:
    """Runs that end, so that the second life finds something done; the yearly tick is known from here on."""
    store = open_store(path)
    engine = engine_on(store, BEGIN)
    await engine.start()
    await add_version(engine, 1)
    await engine.publish("cases", [case("done", "plain"), case("dead", "dead")], idempotency_key="first")
    assert (await engine.call("echo", ["hello"], idempotency_key="once")).result == b'"hello 10"'
    await engine.publish("cases", [case("cancelled", "asked")])
    await until(engine, {"cases:2": State.WAITING})
    await engine.cancel("handle:cases:0:2")
    await engine.idle()
    await engine.stop()
    await store.close()


async def second_life(path: Path) -> None:
    """Runs that are open in every state when the process ends at once."""
    store = open_store(path)
    engine = engine_on(store, BEGIN + 1.5 * YEAR)
    await engine.start()
    await engine.publish("cases", [
        case("asked", "asked"), case("asked", "plain"), case("expired", "expired"), case("slept", "slept"),
        case("backoff", "backoff"), case("branches", "branches"), case("nested", "nested"),
        case("parked", "pay"), case("parked too", "pay", 2), case("cut pay", "pay"), case("cut ship", "ship"),
        case("cut ship too", "ship"), case("cut mail", "mail"),
        case("crashed", "plain"), case("crashed", "crashed", 5),
    ])  # fmt: skip
    await engine.publish("cases", [case("asked", "asked")], tenant="acme")
    review = asyncio.create_task(engine.call("review", ["r1"], idempotency_key="review 1"))
    await answer_when_asked(engine, "Is all well?")
    await until(engine, WANTED)
    await add_version(engine, 2)
    await engine.clock.wait(0.5)
    await engine.abandon()
    review.cancel()
    await asyncio.gather(review, return_exceptions=True)
    await store.close()


async def add_version(engine: Engine, number: int) -> None:
    onnx = b"version %d" % number
    version = ModelVersion("risk", 0, hashlib.sha256(onnx).hexdigest(), b'{"auc":0.5}', b"{}", "", engine.clock.now())
    assert (await engine.add_version(version, onnx)).version == number


async def answer_when_asked(engine: Engine, text: str) -> None:
    while True:
        for question in await engine.store.questions():
            if question.text == text:
                await engine.answer(question.id, b"9", by="tom")
                return
        await engine.clock.wait(0.05)


async def until(engine: Engine, wanted: dict[str, State]) -> None:
    """Return when the runs stand as wanted on the disk."""
    for _ in range(200):
        runs = [await engine.store.run(f"handle:{place.replace(':', ':0:')}") for place in wanted]
        if all(run is not None and run.state is state for run, state in zip(runs, wanted.values(), strict=True)):
            return
        await engine.clock.wait(0.05)
    raise RunError("P309", f"it never came about: {[(run.id, run.state) for run in runs if run]}")


def main() -> None:
    files = [HERE / f"format1.{ending}" for ending in ("store.gz", "store.ack", "seen.json")]
    if any(file.exists() for file in files):
        sys.exit("golden files are never regenerated: give a new format new files")
    world = desk.world
    world.hanging = {
        "gate branches 1", "gate nested inside", "pay cut pay", "ship cut ship", "ship cut ship too", "mail cut mail",
        "gate crashed",
    }  # fmt: skip
    world.failing = {"unsteady backoff", "unsteady crashed", "pay parked", "pay parked too"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "format1.parti"
        asyncio.run(first_life(path))
        asyncio.run(second_life(path))
        files[0].write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        files[1].write_bytes(Path(f"{path}.ack").read_bytes())
    files[2].write_text(json.dumps(world.seen, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
