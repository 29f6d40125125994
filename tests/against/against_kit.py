"""Recording work in flight in a virtual world, and judging it by edited versions of the same app."""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from parti.adapters.virtual import SeededChance, VirtualClock, VirtualStore, run_virtual
from parti.agents.gate import Gate
from parti.agents.loop import work
from parti.declare.loading import load
from parti.design.graph import Design
from parti.design.model import Model
from parti.design.sketch import Sketch
from parti.engine.loop import Engine
from parti.ports.llm import Answer, Request
from parti.ports.store import Batch, ModelVersion
from parti.testing.script import Script, calls, said
from parti.verbs.against import Stored, stored
from parti.verbs.sketching import sketch

BASE = Path(__file__).with_name("orders_app.py").read_text(encoding="utf-8")

RUNS = 1000
"""How many journals are recorded: two runs for each order, and refunds."""


@dataclass(frozen=True)
class Version:
    """A version of the app, with its design and its sketch."""

    design: Design
    sketch: Sketch


def version(text: str, folder: Path) -> Version:
    """The version that this text declares."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "app.py"
    file.write_text(text, encoding="utf-8")
    paths = list(sys.path)
    try:
        system = load(file)
        return Version(system.design, sketch(system))
    finally:
        sys.path[:] = paths


class Levels:
    """A scorer that answers by the amount alone."""

    def load(self, model: Model, version: ModelVersion, onnx: bytes) -> None: ...

    def loaded(self, model: str, version: int) -> bool:
        return True

    def predict(self, model: Model, version: int, features: Any) -> Any:
        return {"level": 3.0 if features.amount % 10 == 6 else 1.0}

    def reasons(self, model: Model, version: int, features: Any, count: int) -> list[Any]:
        return []

    def forget(self, model: str, version: int) -> None: ...


def advice(request: Request) -> Answer:
    """The model looks once, digs (which a clerk must allow) for every third order, and then says something."""
    task = next(one.text for one in request.messages if getattr(one, "role", "") == "user")
    made = len(request.messages) - 2
    if made == 0:
        return calls(("look", {"id": task}))
    if made == 2 and int(task[1:]) % 3 == 0:
        return calls(("dig", {"id": task}))
    return said(f"do {task}")


@cache
def recorded(folder: Path, count: int = RUNS, seed: int = 1) -> Stored:
    """`count` runs of the base version in every state that runs have, as its store holds them."""
    base = version(BASE, folder)
    return run_virtual(lambda clock: _record(base.design, clock, count, random.Random(seed)))


async def _record(design: Design, clock: VirtualClock, count: int, chance: random.Random) -> Stored:
    store = VirtualStore(clock, SeededChance("disk"))
    await filled(design, store, clock, count, chance)
    return await stored(store, count)


def advised(design: Design, clock: VirtualClock) -> Gate:
    """Language models that give `advice`."""
    return Gate(design, lambda llm: Script(advice), clock, SeededChance("gate"))


async def filled(design: Design, store: VirtualStore, clock: VirtualClock, count: int, chance: random.Random) -> None:
    """Run `count` runs of the base version for a minute, answer every third question, and stop a minute later."""
    await store.commit(Batch(models=[ModelVersion("risk", 1, "0" * 64, b"{}", b"{}", "", clock.now())]))
    engine = Engine(
        design, store=store, clock=clock, chance=SeededChance("engine"), offload=asyncio.to_thread, scorer=Levels(),
        llms=advised(design, clock), agents=work,
    )  # fmt: skip
    await engine.start()
    made = [chance.randrange(100) for _ in range(count * 2 // 5)]
    for at, amount in enumerate(made):
        order = {"id": f"o{at}", "customer": f"c{at}", "amount": amount}
        await engine.publish("orders", [to_json(order)])
    refunds = [
        asyncio.ensure_future(engine.call("refund", (f"r{at}", chance.randrange(100)), idempotency_key=f"k{at}"))
        for at in range(count - 2 * len(made))
    ]
    await clock.wait(60.0)
    for question in (await store.questions(limit=count))[::3]:
        if "?doubt-" not in question.id:
            await engine.answer(question.id, b"true", by="clerk")
    await clock.wait(60.0)
    for refund in refunds:
        refund.cancel()
    await asyncio.gather(*refunds, return_exceptions=True)
    await engine.stop()
