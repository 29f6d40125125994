"""The store of format 2: what is large in it, what was spent, and what was forgotten, as today's code finds it."""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import shutil
import sqlite3
from pathlib import Path
from types import ModuleType

import pytest

from parti.adapters.chance import SystemChance
from parti.engine.loop import Engine
from parti.ports.store import State
from parti.testing.live import Live
from parti.wiring import open_store

GOLDEN = Path(__file__).parents[2] / "golden" / "journals"
SOON = 1767225600.0 + 61 * 86400.0
"""A day after the store was written."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A copy of the golden store of format 2."""
    store = tmp_path / "format2.parti"
    store.write_bytes(gzip.decompress((GOLDEN / "format2.store.gz").read_bytes()))
    shutil.copy(GOLDEN / "format2.store.ack", f"{store}.ack")
    return store


def the_desk() -> ModuleType:
    spec = importlib.util.spec_from_file_location("format2_desk", GOLDEN / "format2_desk.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_open_runs_are_finished_with_what_they_had(path: Path) -> None:
    desk = the_desk()

    async def finish() -> None:
        store = open_store(path)
        assert await store.verify() == []
        clock, chance = desk.GivenClock(SOON), SystemChance()
        engine = Engine(desk.archive.design, store=store, clock=clock, chance=chance, offload=asyncio.to_thread)
        await engine.start()
        live = Live(engine, path)
        assert await live.answer_all(b"true") == 2
        await live.idle()
        assert sorted(desk.world.calls) == ["copy 0 new an", "copy 0 old an"]
        rows = await live.rows("shelf")
        kept = {"id": "plain", "text": "1 usd 200000"}
        assert rows == {id: {**kept, "id": id} for id in ("plain", "old and open", "new and open")}
        texts = {event["text"] for event in await live.events("papers")}
        assert texts == {letter * desk.LARGE for letter in "pon"}
        assert await store.run("echo:once") is None
        again = await live.call("echo", ["f" * desk.LARGE], idempotency_key="twice")
        assert (again.repeated, len(again.result)) == (True, desk.LARGE + 2)
        second = desk.Paper(id="new and open", text="n" * desk.LARGE).model_dump_json().encode()
        assert len((await live.publish("papers", [second], idempotency_key="second")).positions) == 1
        assert {run.state for run in await store.runs()} == {State.DONE}
        assert len([run for run in await store.runs() if run.part == "file"]) == 2, "the plain ones are forgotten"
        await engine.stop()
        assert await store.verify() == []
        await store.close()

    asyncio.run(finish())


def test_its_journal_has_gaps_that_are_proved(path: Path) -> None:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT seq, run FROM journal ORDER BY seq").fetchall()
    connection.close()
    assert any(run == "~" for _, run in rows)
    assert len(rows) < rows[-1][0], "records are missing, and verifying finds nothing wrong"


def test_the_golden_files_of_format_2_are_small() -> None:
    assert sum(file.stat().st_size for file in GOLDEN.glob("format2*")) < 100 * 1024
