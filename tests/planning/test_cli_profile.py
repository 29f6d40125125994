"""`parti profile`: parts are measured without effects, or read from traffic; kept, shown, and compared."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from cli_apps import lines, parti
from profile_kit import MACHINE

from parti import PartiError, wiring
from parti.declare.loading import load
from parti.planning.storing import read_profile
from parti.ports.machine import Calibration, Fingerprint, Usage
from parti.testing import running
from parti.verbs.load import workload
from parti.verbs.profile import profile_from_traffic
from parti.verbs.target import find

APP = """
import asyncio
from pathlib import Path

from pydantic import BaseModel
from parti import System

desk = System("desk")

class Order(BaseModel):
    id: str

orders = desk.topic("orders", Order, key="id")

@desk.step
async def classify(id: str) -> str:
    await asyncio.sleep(0.020)
    return id

@desk.tool(effect="write", key="id")
async def post(id: str) -> None:
    Path("posted").write_text(id)

@desk.on(orders)
async def decide(order: Order) -> None:
    await classify(order.id)
    await post(order.id)

@desk.post("/score")
async def score(id: str) -> str:
    return await classify(id)
"""


class Quiet:
    """A machine on which nothing else is going on, whatever goes on on this one."""

    calibration = Calibration(0.02, 0.02, 10.0)

    def fingerprint(self, score: float = 0.0) -> Fingerprint:
        return MACHINE

    def calibrate(self) -> Calibration:
        return self.calibration

    def usage(self) -> Usage:
        return Usage(0.0, 0.0, None, None)

    def elapsed(self) -> float:
        return 0.0

    def thread_cpu(self) -> float:
        return 0.0

    def cpu(self) -> float:
        return 0.0


class Noisy(Quiet):
    calibration = Calibration(0.04, 0.02, 10.0)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PARTI_APP", "PARTI_STORE", "PARTI_TOKEN", "PARTI_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("parti.verbs.profile.this_machine", Quiet)
    monkeypatch.setattr("parti.planning.contention.APART", 100.0)  # this machine is not quiet
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    lines(tmp_path / "orders.jsonl", {"id": "a"}, {"id": "b"})
    return tmp_path


def traffic(folder: Path, count: int = 6) -> None:
    """Let the app work on some orders."""

    async def main() -> None:
        async with running(load(folder / "app.py"), folder / "desk.parti") as live:
            for number in range(count):
                await live.publish("orders", [json.dumps({"id": f"o{number}"}).encode()])
            await live.call("score", ["x"])
            await live.call("score", ["y"])
            await live.idle()

    asyncio.run(main())


def test_parts_are_measured_with_inputs_of_a_file_and_kept_beside_the_store(app: Path) -> None:
    said = parti("profile", "app.py", "--inputs", "decide=orders.jsonl", "--samples", "6")
    assert said.code == 0, said.err
    assert "desk  measured under load" in said.out
    assert "kept in" in said.err
    assert not (app / "posted").exists(), "a write was made"
    found = read_profile(app / "desk.parti.profile.json")
    classify = found.part("classify")
    assert classify is not None
    assert classify.services[0].seconds.quantiles[0] >= 0.0199
    assert classify.services[0].seconds.quantiles[0] < 0.030
    assert "post: a write is never made" in said.out
    assert "score: there is no input for it" in said.out


def test_json_says_the_same_in_figures(app: Path) -> None:
    facts = parti("profile", "app.py", "--inputs", "decide=orders.jsonl", "--samples", "6", "--json").json
    parts = {part["part"]: part for part in facts["parts"]}
    (service,) = parts["classify"]["services"]
    assert service["seconds"]["count"] == 12
    assert 0.0199 <= service["seconds"]["p50"] < 0.030
    assert facts["contention"]["found"] is False
    assert {one["part"] for one in facts["unmeasured"]} == {"post", "score"}
    assert [graph["caller"] for graph in facts["graphs"]] == ["decide"]


def test_after_traffic_every_part_has_inputs_and_what_is_not_measured_comes_from_traffic(app: Path) -> None:
    traffic(app)
    (app / "posted").unlink()
    facts = parti("profile", "--samples", "5", "--json").json
    parts = {part["part"]: part for part in facts["parts"]}
    assert set(parts) == {"classify", "post", "decide", "score"}
    assert parts["classify"]["services"][0]["alone"]["count"] == 5
    (post,) = facts["unmeasured"]
    assert post["why"].startswith("taken from traffic, since a write is never made")
    assert {seen["entry"]: seen["count"] for seen in facts["arrivals"]} == {"decide": 6, "score": 2}
    assert not (app / "posted").exists()


def test_only_the_parts_asked_for_are_measured(app: Path) -> None:
    traffic(app)
    facts = parti("profile", "--part", "classify", "--samples", "5", "--out", "p.json", "--json").json
    assert facts["covers"] == 15
    assert (app / "p.json").exists()
    assert not (app / "desk.parti.profile.json").exists()


def test_a_profile_from_traffic_measures_nothing(app: Path) -> None:
    traffic(app)
    said = parti("profile", "app.py", "--traffic")
    assert said.code == 0
    assert "desk  from traffic, 8 runs" in said.out
    stored = parti("profile", "app.py", "--stored", "--json").json
    assert stored["source"] == "traffic"
    assert stored["covers"] == 8
    assert parti("profile", "--traffic", "--limit", "2", "--json").json["covers"] == 4
    assert parti("profile", "--traffic", "--since", "1h", "--json").json["covers"] == 8


def test_contention_is_told_and_marks_the_profile_and_exits_with_1(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parti.verbs.profile.this_machine", Noisy)
    said = parti("profile", "--inputs", "decide=orders.jsonl", "--samples", "5")
    assert said.code == 1
    assert "contention: a fixed piece of work took 100% longer than its CPU time" in said.out
    assert "predictions must not rest on this profile" in said.out
    assert parti("profile", "--stored").code == 1


def test_drift_compares_the_kept_profile_with_recent_traffic(app: Path) -> None:
    traffic(app)
    assert parti("profile", "--traffic").code == 0
    said = parti("profile", "--drift")
    assert said.code == 0, said.out
    assert "0 of " in said.out
    (app / "app.py").write_text(APP.replace("0.020", "0.080"), encoding="utf-8")
    traffic(app, 30)
    said = parti("profile", "--drift", "--limit", "20", "--json")
    moved = [one for one in said.json["drifts"] if one["moved"] and one["part"] == "classify"]
    assert said.code == 1
    assert [one["of"] for one in moved] == ["seconds"]
    assert "the design has changed since the stored profile" in said.json["caveats"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 2, "P829 nothing of desk can be measured"),
        (["--traffic"], 2, "P208"),
        (["--stored"], 2, "P820 desk.parti.profile.json is no profile"),
        (["--drift"], 2, "P820"),
        (["--part", "nobody"], 2, "P308 desk has no part 'nobody'"),
        (["--inputs", "nobody=orders.jsonl"], 2, "P308 there is no part 'nobody' that takes inputs"),
        (["--inputs", "decide=none.jsonl"], 2, "P504 none.jsonl cannot be read"),
        (["--inputs", "decide=bad.jsonl"], 2, "bad.jsonl:1: P402"),
        (["--inputs", "decide=worse.jsonl"], 2, "worse.jsonl:1: P405 this is not JSON"),
        (["--inputs", "decide=empty.jsonl"], 2, "P504 empty.jsonl holds no input for `decide`"),
        (["--inputs", "decide"], 2, "--inputs takes PART=FILE"),
        (["--traffic", "--stored"], 2, "exclude each other"),
        (
            ["--inputs", "decide=orders.jsonl", "--samples", "5", "--out", "no/where.json"],
            2,
            "P820 no/where.json cannot be written",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(app: Path, options: list[str], code: int, said: str) -> None:
    (app / "bad.jsonl").write_text('{"amount": 3}\n')
    (app / "worse.jsonl").write_text("{\n")
    (app / "empty.jsonl").write_text("\n")
    found = parti("profile", *options)
    assert (found.code, said in found.err) == (code, True), found.err


def test_wiring_gives_the_machine_of_this_process() -> None:
    assert wiring.this_machine().fingerprint().cores >= 1


def test_a_load_is_read_with_the_journal_and_the_shares_of_the_profile(app: Path) -> None:
    traffic(app)
    target = find(None, None)
    profile = asyncio.run(profile_from_traffic(target))
    shared = asyncio.run(workload(target, ["40/s"], profile))
    assert shared.rates == {"decide": 30.0, "score": 10.0}
    played = asyncio.run(workload(target, ["/score=journal*2"], None))
    assert list(played.rates) == ["score"]
    with pytest.raises(PartiError, match="P825 nobody knows how the load is shared out"):
        asyncio.run(workload(target, ["40/s"], None))
