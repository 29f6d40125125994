"""Looking into what happened, and setting it right: runs, why, topics, questions, answer, retry, cancel, verify."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cli_apps import lines, parti, work

from parti import Batch, Budget, Cost, StepFailed, System, spend
from parti.ports.store import State
from parti.testing import WordEmbedder, running

OVERSPENDING = """\
from pydantic import BaseModel
from parti import Budget, Cost, System

class Order(BaseModel):
    id: str

desk = System("desk")
orders = desk.topic("orders", Order, key="id")

@desk.tool(effect="read", cost=Cost(usd=0.02))
async def look() -> None: ...

@desk.on(orders, budget=Budget(usd=0.01))
async def decide(order: Order) -> None:
    await look()
"""


@pytest.fixture
def worked(desk: Path) -> Path:
    """A desk that has decided on one order, failed on one, and waits for the boss on one."""
    lines(desk / "events.jsonl", {"id": "a", "amount": 7}, {"id": "b", "note": "fail"}, {"id": "c", "note": "ask"})
    assert parti("publish", "orders", "events.jsonl").code == 0
    work()
    return desk


def run_of(key: str, part: str = "decide") -> str:
    return str(next(run["id"] for run in parti("runs", "--part", part, "--json").json if run["key"] == key))


def state_of(key: str) -> str:
    return str(parti("why", run_of(key), "--json").json["run"]["state"])


def test_up_closes_with_figures_of_each_runner(desk: Path) -> None:
    lines(desk / "events.jsonl", {"id": "a"}, {"id": "b", "note": "fail"}, {"id": "c", "note": "ask"})
    parti("publish", "orders", "events.jsonl")
    started, closed = map(json.loads, work().out.splitlines())
    assert started["system"] == "desk"
    assert started["docs"] == started["url"] + "/docs"
    assert started["board"] == started["url"] + "/-/board/"
    decide = closed["runners"][0]
    assert [decide[name] for name in ("runner", "done", "waiting", "failed", "stored")] == ["decide", 1, 1, 1, 1]
    assert 0 < decide["p50"] <= decide["p99"] < 5
    assert closed["monitors"] == {"Verdicts": {"count": 1.0}}
    assert closed["journal"] > 100
    [failure] = closed["failures"]
    assert (failure["runner"], failure["code"], failure["error"]) == ("decide", "P307", "ValueError: a bad order")
    assert failure["run"] == run_of("b")


def test_up_says_the_same_in_words(desk: Path) -> None:
    parti("publish", "orders", '{"id": "a"}')
    said = parti("up", "--until-idle", "--port", "0")
    assert said.out.startswith("desk  http://127.0.0.1:")
    assert "/docs\n  store  desk.parti\n" in said.out
    assert "waiting for a person" in said.out
    assert "journal " in said.out
    assert said.err.endswith("next: parti runs\n")


def test_up_says_why_runs_died_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(OVERSPENDING)
    lines(tmp_path / "events.jsonl", {"id": "a"}, {"id": "b"})
    parti("publish", "orders", "events.jsonl")
    said = parti("up", "--until-idle", "--port", "0")
    assert said.out.count("decide failed  app.py:") == 1, "each reason once"
    assert ": P312 " in said.out
    assert "\n  try: raise budget=" in said.out
    assert said.err.endswith("next: parti runs --state dead\n")


def test_runs_are_narrowed_down(worked: Path) -> None:
    assert [run["key"] for run in parti("runs", "--state", "dead", "--json").json] == ["b"]
    assert len(parti("runs", "--limit", "2", "--json").json) == 2
    assert len(parti("runs", "--since", "1h", "--json").json) == 4
    assert {run["part"] for run in parti("runs", "--part", "tell", "--json").json} == {"tell"}
    assert "P307 ValueError: a bad order" in parti("runs").out


@pytest.mark.parametrize(("option", "value", "code"), [("--state", "asleep", "P308"), ("--since", "soon", "P105")])
def test_wrong_filters_are_coded(worked: Path, option: str, value: str, code: str) -> None:
    assert parti("runs", option, value, "--json").error == code


def test_why_tells_a_run_from_its_event_to_what_it_caused(worked: Path) -> None:
    found = parti("why", run_of("a"), "--json").json
    assert found["origin"]["payload"] == {"id": "a", "amount": 7.0, "note": ""}
    steps = [(moment["kind"], moment["part"], moment["answer"]) for moment in found["moments"]]
    assert steps[0] == ("step", "weigh", 14.0)
    assert [kind for kind, _, _ in steps] == ["step", "put", "publish"]
    [caused] = found["caused"]
    assert (caused["event"]["topic"], caused["event"]["payload"]) == ("verdicts", {"id": "a", "approved": True})
    assert [run["part"] for run in caused["runs"]] == ["tell"]
    following = parti("why", caused["runs"][0]["id"], "--json").json
    assert following["origin"]["cause"] == found["run"]["id"]
    assert set(found["timing"]) == {"in_line", "working", "waiting"}


def test_why_tells_what_was_remembered_and_forgotten(tmp_path: Path) -> None:
    desk = System("desk")
    notes = desk.memory("notes", facts=1)

    @desk.post("/work", key="id")
    async def work(id: str) -> int:
        await notes.remember("an older word")
        await notes.remember("the roof leaks")
        return len(await notes.recall("roof"))

    async def main() -> str:
        async with running(desk, tmp_path / "desk.parti", embedder=WordEmbedder()) as live:
            return (await live.call("work", ["a"])).run

    said = parti("why", asyncio.run(main()), "--store", str(tmp_path / "desk.parti"), env={"COLUMNS": "160"})
    assert said.code == 0
    assert '"the roof leaks"' in said.out
    assert "memory:notes" in said.out


def test_why_tells_what_was_reserved_and_spent(tmp_path: Path) -> None:
    desk = System("desk")

    @desk.tool(effect="read", cost=Cost(usd=0.02))
    async def look() -> None:
        spend(usd=0.005)

    @desk.post("/work", budget=Budget(usd=0.03))
    async def work(times: int) -> None:
        for _ in range(times):
            await look()

    async def main() -> list[str]:
        async with running(desk, tmp_path / "desk.parti") as live:
            done = [(await live.call("work", [1])).run]
            with pytest.raises(StepFailed):
                await live.call("work", [9])
            return done + [run.id for run in await live.store.runs(state=State.DEAD)]

    done, dead = asyncio.run(main())
    said = parti("why", done, "--store", str(tmp_path / "desk.parti"), env={"COLUMNS": "160"})
    assert (said.code, "reserved $0.02" in said.out, "$-0.015" in said.out) == (0, True, True), said
    said = parti("why", dead, "--store", str(tmp_path / "desk.parti"), env={"COLUMNS": "160"})
    assert "P312" in said.out
    assert "\ntry     " in said.out, "what died says what to do"


def test_why_tells_how_long_a_call_stood_in_line_and_in_a_batch_of_how_many(tmp_path: Path) -> None:
    desk = System("desk")

    @desk.step(batch=Batch(2, linger="10s"))
    async def embed(texts: list[str]) -> list[int]:
        return [len(text) for text in texts]

    @desk.post("/work")
    async def work() -> int:
        return sum(await asyncio.gather(embed("a"), embed("bb")))

    @desk.post("/plain")
    async def plain() -> int:
        return 1

    async def main() -> list[str]:
        async with running(desk, tmp_path / "desk.parti") as live:
            return [(await live.call(name, [])).run for name in ("work", "plain")]

    batched, alone = asyncio.run(main())
    store = ("--store", str(tmp_path / "desk.parti"))
    said = parti("why", batched, *store, env={"COLUMNS": "160"}).out
    assert "in line" in said.split("values")[0].splitlines()[-1]
    assert "batch" in said.split("values")[0]
    moments = parti("why", batched, *store, "--json").json["moments"]
    assert [(moment["batch"], moment["waited"] > 0) for moment in moments] == [(2, True), (2, True)]
    assert "batch" not in parti("why", alone, *store).out


def test_why_says_it_in_words(worked: Path) -> None:
    said = parti("why", run_of("a"))
    assert "[7.0] → 14.0" in said.out
    assert 'a: {"id": "a", "approved": true}' in said.out
    assert "caused  verdicts/" in said.out
    assert "P307 ValueError: a bad order" in parti("why", run_of("b")).out
    waiting = parti("why", run_of("c"))
    assert "waits   for boss" in waiting.out
    assert "next: parti answer" in waiting.err


def test_a_run_of_a_call_shows_what_it_was_called_with(desk: Path) -> None:
    assert parti("why", "decide:orders:0:0", "--json").error == "P208"
    parti("publish", "orders", '{"id": "a"}')
    assert parti("why", "decide:orders:0:9", "--json").error == "P308"


def test_values_of_any_size_are_whole_in_json(desk: Path) -> None:
    note = "x" * 100_000
    parti("publish", "orders", input=json.dumps({"id": "a", "note": note}))
    work()
    found = parti("why", run_of("a"), "--json").json
    assert found["origin"]["payload"]["note"] == note
    assert len(max(parti("why", run_of("a")).out.splitlines(), key=len)) < 400


def test_topics_show_lag_and_dead_letters(worked: Path) -> None:
    parti("publish", "orders", '{"id": "d"}')
    orders, verdicts = parti("topics", "--json").json
    assert (orders["topic"], orders["events"], orders["dead"], orders["lag"]) == ("orders", 4, 1, {"decide": 1})
    assert (verdicts["events"], verdicts["lag"]) == (1, {"tell": 0})
    assert orders["oldest"] > 1.6e9
    assert "decide 1" in parti("topics").out


def test_a_store_is_enough_to_look_into_it(worked: Path) -> None:
    (worked / "app.py").unlink()
    assert len(parti("runs", "--json").json) == 4
    assert parti("topics", "--store", "desk.parti", "--json").json[0]["lag"] == {"decide": 0}
    assert parti("publish", "orders", '{"id": "x"}', "--json").error == "P101"


def test_an_answer_lets_the_run_go_on(worked: Path) -> None:
    [question] = parti("questions", "--json").json
    assert (question["who"], question["text"], question["schema"]) == ("boss", "Approve c?", {"type": "boolean"})
    assert parti("answer", question["id"], "perhaps", "--json").error == "P402"
    answered = parti("answer", question["id"], "yes", "--by", "ann", "--json").json
    assert (answered["answer"], answered["by"], answered["state"]) == (True, "ann", "answered")
    assert parti("answer", question["id"], "no", "--json").error == "P309"
    assert parti("questions", "--json").json == []
    work()
    assert state_of("c") == "done"
    assert "true by ann" in parti("why", run_of("c")).out
    assert "true by ann" in parti("questions", "--all").out


def test_a_run_stands_for_its_only_question(worked: Path) -> None:
    assert parti("answer", run_of("c"), "no", "--json").json["answer"] is False
    assert parti("answer", run_of("a"), "no", "--json").error == "P308"


def test_a_dead_run_is_put_back_in_line(worked: Path) -> None:
    assert parti("retry", run_of("b")).out == "put 1 run back in line\n"
    assert state_of("b") == "queued"
    assert parti("retry", run_of("b"), "--json").error == "P309"
    work()
    assert state_of("b") == "dead"
    assert parti("retry", "--all-of", "decide", "--json").json["runs"][0]["key"] == "b"
    assert parti("retry", "--all-of", "decide", "--json").json == {"runs": [], "refused": []}
    assert parti("retry", "--all-of", "nobody", "--json").error == "P308"
    assert parti("retry", "nothing", "--json").error == "P308"
    assert parti("retry").code == 2


def test_a_waiting_run_is_cancelled(worked: Path) -> None:
    assert parti("cancel", run_of("c"), "--json").json["state"] == "cancelled"
    assert state_of("c") == "cancelled"
    assert parti("cancel", run_of("c"), "--json").error == "P309"
    assert parti("cancel", run_of("a"), "--json").error == "P309"
    assert parti("cancel", "nothing", "--json").error == "P308"


def test_a_sound_store_verifies(worked: Path) -> None:
    assert parti("verify").code == 0
    assert parti("verify", "desk.parti", "--json").json["findings"] == []
    assert parti("verify", "app.py").code == 0


def test_findings_end_with_1(worked: Path) -> None:
    with closing(sqlite3.connect(worked / "desk.parti")) as connection, connection:
        connection.execute("UPDATE events SET payload = CAST(replace(payload, 'amount', 'amouny') AS BLOB)")
    said = parti("verify", "--json")
    assert said.code == 1
    assert said.json["findings"][0]["code"] == "P205"
    assert "P205" in parti("verify").out


def test_a_store_that_is_none_cannot_be_verified(desk: Path) -> None:
    assert parti("verify", "nothing.parti", "--json").error == "P208"
    (desk / "text.parti").write_text("not a store at all", encoding="utf-8")
    assert parti("verify", "text.parti", "--json").json["findings"][0]["code"] == "P202"


def test_a_store_of_another_design_is_refused(worked: Path) -> None:
    app = worked / "app.py"
    app.write_text(app.read_text(encoding="utf-8").replace("amount: float = 0.0", "amount: int"), encoding="utf-8")
    assert parti("up", "--until-idle", "--port", "0", "--json").error == "P403"


def test_no_models_says_so(worked: Path) -> None:
    assert parti("models", "--json").json == []
    assert "no model has a version yet" in parti("models").err
    assert parti("models", "risk", "--json").error == "P308"
    assert parti("train", "risk", "--json").error == "P308"
