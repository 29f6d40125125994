"""Predictions of several runs with one version of a model are made together, where it has `batch=`."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from engine_kit import Order, Play, World, code_of, entries_of, result_of
from pydantic import BaseModel
from pydantic_core import from_json

from parti import Batch, System
from parti.design.model import Reason
from parti.errors import ModelError
from parti.journal.entries import Kind
from parti.ports.store import ModelVersion


class Verdict(BaseModel):
    label: str
    version: int


class Scoring:
    """A scorer that notes what it was asked together. Orders called `bad` fail."""

    def __init__(self) -> None:
        self.known: set[tuple[str, int]] = set()
        self.asked: list[tuple[int, list[str]]] = []

    def loaded(self, name: str, version: int) -> bool:
        return (name, version) in self.known

    def load(self, model: Any, version: ModelVersion, onnx: bytes) -> None:
        self.known.add((model.name, version.version))

    def predict(self, model: Any, version: int, features: Order) -> Any:
        return self.predict_many(model, version, [features])[0]

    def predict_many(self, model: Any, version: int, rows: list[Order]) -> list[Any]:
        self.asked.append((version, [row.id for row in rows]))
        return [
            ModelError("P603", f"no answer to {row.id}")
            if row.id == "bad"
            else Verdict(label=row.id.upper(), version=version)
            for row in rows
        ]

    def reasons(self, model: Any, version: int, features: Order, count: int) -> list[Reason]:
        self.asked.append((version, [f"why {features.id}"]))
        return [Reason("amount", 1.0, 0.5)]


def a_desk(**options: Any) -> System:
    desk = System("desk")
    model = desk.model("risk", inputs=Order, output=Verdict, **options)

    @desk.post("/score")
    async def score(id: str) -> str:
        return str((await model.predict(Order(id=id))).label)

    @desk.post("/twice")
    async def twice(id: str) -> list[int]:
        first = await model.predict(Order(id=id))
        await asyncio.sleep(1)
        return [first.version, (await model.predict(Order(id=id + "!"))).version]

    @desk.post("/explain")
    async def explain(id: str) -> str:
        return (await model.reasons(Order(id=id)))[0].feature

    @desk.get("/look/{id}")
    async def look(id: str) -> str:
        return str((await model.predict(Order(id=id))).label)

    return desk


async def trained(live: Any, scorer: Scoring) -> None:
    live.engine.services.scorer = scorer
    await another(live)


async def another(live: Any) -> None:
    await live.engine.add_version(
        ModelVersion("risk", 0, hashlib.sha256(b"x").hexdigest(), b"{}", b"{}", "", 0.0), b"x"
    )


def test_predictions_of_several_runs_are_one_call_of_the_scorer(in_world: Play) -> None:
    scorer = Scoring()

    async def main(world: World) -> None:
        async with world.running(a_desk(batch=Batch(8, linger="50ms"))) as live:
            await trained(live, scorer)
            plain = asyncio.create_task(live.engine.answer_plain("look", ("d",)))
            answers = await asyncio.gather(*[result_of(live, "score", id, idempotency_key=id) for id in "abc"])
            assert (answers, from_json(await plain)) == (["A", "B", "C"], "D")
            assert [(version, sorted(ids)) for version, ids in scorer.asked] == [(1, ["a", "b", "c", "d"])]
            (step,) = [entry for entry in await entries_of(world.store, "score:a") if entry.kind == Kind.STEP]
            assert (step.batch, step.answer["label"], step.waited > 0.04) == (4, "A", True)

    in_world(main)


def test_one_that_cannot_be_answered_fails_alone(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(batch=Batch(8, linger="50ms"))) as live:
            await trained(live, Scoring())
            bad = asyncio.create_task(code_of(live.call("score", ("bad",))))
            assert (await result_of(live, "score", "a"), await bad) == ("A", "P603")

    in_world(main)


def test_versions_are_never_mixed_and_a_run_keeps_its_own(in_world: Play) -> None:
    scorer = Scoring()

    async def main(world: World) -> None:
        async with world.running(a_desk(batch=Batch(8, linger="100ms"))) as live:
            await trained(live, scorer)
            old = asyncio.create_task(result_of(live, "twice", "a"))
            await world.clock.wait(0.5)
            await another(live)
            await world.clock.wait(0.55)
            new = asyncio.create_task(result_of(live, "score", "b"))
            assert (await old, await new) == ([1, 1], "B")
            assert {(version, tuple(ids)) for version, ids in scorer.asked} == {(1, ("a",)), (1, ("a!",)), (2, ("b",))}

    in_world(main)


def test_reasons_are_given_one_by_one(in_world: Play) -> None:
    scorer = Scoring()

    async def main(world: World) -> None:
        async with world.running(a_desk(batch=Batch(8, linger="50ms"), concurrency=1)) as live:
            await trained(live, scorer)
            assert await asyncio.gather(*[result_of(live, "explain", id) for id in "ab"]) == ["amount", "amount"]
            assert scorer.asked == [(1, ["why a"]), (1, ["why b"])]

    in_world(main)


def test_a_model_without_options_is_asked_as_before(in_world: Play) -> None:
    scorer = Scoring()

    async def main(world: World) -> None:
        async with world.running(a_desk()) as live:
            await trained(live, scorer)
            await result_of(live, "score", "a", idempotency_key="k")
            assert [entry.more for entry in await entries_of(world.store, "score:k")] == [{}, {}]

    in_world(main)
