"""Stores written by older code: today's code finishes their runs, and calls nothing that their journals answer."""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from parti.adapters.chance import SystemChance
from parti.engine.loop import Engine
from parti.errors import RunError
from parti.ports.store import RunRecord, State
from parti.testing.live import Live
from parti.wiring import open_store

GOLDEN = Path(__file__).parents[2] / "golden" / "journals"
LATER = 2082758400.0
"""2036-01-01, long after every timer in the stores."""

CALLED = Counter(
    {
        "measured asked": 1,  # the case behind the one that waits
        "measured slept awake": 1,
        "unsteady backoff": 1,
        "gate branches 1": 1,
        "outer nested": 1,
        "gate nested inside": 1,
        "pay asked": 2,  # of two tenants
        "pay parked too": 1,
        "shipment cut ship": 1,
        "ship cut ship": 1,
        "shipment cut ship too": 1,
        "mail cut mail": 1,
        "gate crashed": 1,
        "predicted 1000 with version 1": 1,
        "arrivals from 3": 1,
        "measured arrival 3": 1,
        "measured arrival 4": 1,
    }
)
"""Everything outside that today's code calls; all else is in the journals."""

ROWS = {
    "done": "4",
    "asked": "5",
    "expired": "7",
    "backoff": "7 steady backoff",
    "branches": "[10, 'through branches 1', 10]",
    "nested": "13 through nested inside",
    "parked": "paid before",
    "parked too": "paid 2",
    "cut pay": "paid before",
    "cut ship": "shipped cut ship",
    "cut ship too": "shipped cut ship too before",
    "cut mail": "mailed cut mail",
    "crashed": "through crashed 1100",
}


@dataclass
class Finished:
    """What is left when today's code is done with an old store."""

    runs: dict[str, RunRecord]
    rows: dict[str, str]
    verdicts: list[dict[str, str]]
    asked: dict[str, str]
    """The questions that were open, by run, with who was asked."""
    findings: list[Any]
    desk: ModuleType
    repeated: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The golden store of format 1, copied and finished once."""
    path = tmp_path_factory.mktemp("golden") / "format1.parti"
    path.write_bytes(gzip.decompress((GOLDEN / "format1.store.gz").read_bytes()))
    shutil.copy(GOLDEN / "format1.store.ack", f"{path}.ack")
    desk = _loaded("format1_desk")
    desk.world.happened = {"cut ship too"}
    desk.world.arrivals = 5
    return asyncio.run(_finish(path, desk))


def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, GOLDEN / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def _finish(path: Path, desk: ModuleType) -> Finished:
    store = open_store(path)
    before = await store.verify()
    engine = Engine(
        desk.archive.design,
        store=store,
        clock=desk.GivenClock(LATER),
        chance=SystemChance(),
        offload=asyncio.to_thread,
        scorer=desk.GivenScorer(),
    )
    await engine.start()
    asked: dict[str, str] = {}
    await engine.idle()
    while questions := await store.questions():
        for question in questions:
            asked[question.run] = question.who
            await engine.answer(question.id, _answer(question.who, question.text), by="today")
        await engine.idle()
    live = Live(engine, path)
    repeated = await _repeated(live)
    runs = {run.id: run for run in await store.runs(limit=1000)}
    rows = {key: row["text"] for key, row in (await live.rows("notes")).items()}
    verdicts = await live.events("verdicts")
    await engine.stop()
    findings = before + await store.verify()
    await store.close()
    return Finished(runs, rows, verdicts, asked, findings, desk, repeated)


def _answer(who: str, text: str) -> bytes:
    if who == "operator":
        return b'{"happened":false}' if "parked too" in text else b'{"happened":true,"result":"paid before"}'
    return b"42"


async def _repeated(live: Live) -> dict[str, Any]:
    """What those are told who ask again with the keys that they used then."""
    again = await live.publish("cases", [b'{"id":"done","kind":"plain"}'] * 2, idempotency_key="first")
    review = await live.call("review", ["r1"], idempotency_key="review 1")
    echo = await live.call("echo", ["hello"], idempotency_key="once")
    with pytest.raises(RunError, match="P310"):
        await live.call("echo", ["other"], idempotency_key="once")
    return {"published": again.positions, "review": review.result, "echo": (echo.result, echo.repeated)}


def test_the_store_is_sound_before_and_after(finished: Finished) -> None:
    assert finished.findings == []


def test_nothing_is_called_that_the_journal_answers(finished: Finished) -> None:
    assert Counter(finished.desk.world.calls) == CALLED


def test_every_open_run_ends_as_it_should(finished: Finished) -> None:
    states = {run.id: run.state for run in finished.runs.values() if run.state is not State.DONE}
    assert states == {"handle:cases:0:1": State.DEAD, "handle:cases:0:2": State.CANCELLED}
    assert sum(run.part == "handle" for run in finished.runs.values()) == 19
    assert finished.runs["handle:cases:0:7"].attempt == 2, "the backoff counts its attempts on"
    assert json.loads(finished.runs["handle:cases:0:1"].error)["code"] == "P305"


def test_tables_and_events_hold_what_the_runs_made_of_them(finished: Finished) -> None:
    rows = dict(finished.rows)
    slept = rows.pop("slept")
    assert slept.startswith("5 11 2027-07-02T21:00:0")
    assert {key: text for key, text in rows.items() if not key.startswith("arrival")} == ROWS
    assert {key for key in rows if key.startswith("arrival")} == {f"arrival {number}" for number in range(5)}
    texts = Counter((verdict["id"], verdict["text"]) for verdict in finished.verdicts)
    twice = {verdict for verdict, count in texts.items() if count > 1}
    assert twice == {("asked", "5 42 paid 42")}, "only two tenants may come to the same verdict"
    wanted = {*ROWS.items(), ("slept", slept), ("asked", "5 42 paid 42"), ("crashed", "7")}
    assert wanted <= set(texts)


def test_a_crashed_run_is_told_the_same_as_before_the_crash(finished: Finished) -> None:
    before = json.loads((GOLDEN / "format1.seen.json").read_text(encoding="utf-8"))
    assert finished.desk.world.seen == before


def test_people_are_asked_what_they_were_asked_and_about_writes_in_doubt(finished: Finished) -> None:
    operator = {run for run, who in finished.asked.items() if who == "operator"}
    assert operator == {"handle:cases:0:10", "handle:cases:0:11", "handle:cases:0:12"}
    teller = {run for run, who in finished.asked.items() if who == "teller"}
    assert teller == {"handle:cases:0:3", "handle:cases:0:18", "review:review%201", "yearly:57"}


def test_who_asks_again_with_an_old_key_gets_the_old_answer(finished: Finished) -> None:
    assert list(finished.repeated["published"]) == [(0, 0), (0, 1)]
    assert finished.repeated["review"] == b'"9 42"'
    assert finished.repeated["echo"] == (b'"hello 10"', True)


def test_the_golden_files_are_small() -> None:
    assert sum(file.stat().st_size for file in GOLDEN.glob("format1*")) < 100 * 1024
