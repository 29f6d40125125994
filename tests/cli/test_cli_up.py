"""`parti up` as a real process: signals, crashes, two at once, and other commands beside it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_apps import lines, parti
from processes import WITHIN, Running, finished, start, up

from parti import wiring


def until(holds: Callable[[], bool], running: Running) -> None:
    """Look again and again, as long as the process lives."""
    while not holds():
        assert running.process.poll() is None, running.process.communicate()


def waits_for_boss() -> bool:
    return any(run["state"] == "waiting" for run in parti("runs", "--json").json)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_gracefully(desk: Path, number: signal.Signals) -> None:
    with up(desk) as running:
        said = running.end(number)
    assert said.code == 0
    assert json.loads(said.out)["system"] == "desk"
    assert "Traceback" not in said.err


def test_it_answers_http_and_closes_with_figures(desk: Path) -> None:
    with up(desk) as running:
        request = urllib.request.Request(f"{running.url}/weigh/21", method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer) == 42.0
        closed = json.loads(running.end().out)
    assert {one["runner"]: one["done"] for one in closed["runners"]}["weighed"] == 1


def test_a_killed_process_leaves_everything_to_the_next(desk: Path) -> None:
    lines(desk / "events.jsonl", {"id": "a"}, {"id": "b", "note": "ask"}, {"id": "c"})
    parti("publish", "orders", "events.jsonl")
    with up(desk) as running:
        until(waits_for_boss, running)
        assert running.end(signal.SIGKILL).code == -signal.SIGKILL
    [question] = parti("questions", "--json").json
    assert parti("answer", question["id"], "no").code == 0
    closed = json.loads(finished(desk, "up", "--until-idle", "--port", "0", "--json").out.splitlines()[-1])
    decide, tell = closed["runners"][:2]
    assert (decide["stored"], decide["waiting"], tell["stored"]) == (3, 0, 3)
    assert parti("verify").code == 0


def test_commands_beside_it_go_through_it(desk: Path) -> None:
    with up(desk) as running:
        lines(desk / "events.jsonl", {"id": "a"}, {"id": "b", "note": "fail"}, {"id": "c", "note": "ask"})
        assert parti("publish", "orders", "events.jsonl", "--once", "--json").json["published"] == 3
        assert parti("publish", "orders", "events.jsonl", "--once", "--json").json["repeated"] == 3
        until(lambda: len(parti("questions", "--json").json) == 1, running)
        [question] = parti("questions", "--json").json
        assert parti("answer", question["id"], "maybe", "--json").error == "P402"
        answered = parti("answer", question["id"], "yes", "--by", "ann", "--json").json
        assert (answered["answer"], answered["by"], answered["schema"]) == (True, "ann", {"type": "boolean"})
        assert parti("answer", question["id"], "yes", "--json").error == "P309"
        until(lambda: len(parti("runs", "--state", "dead", "--json").json) == 1, running)
        [dead] = parti("runs", "--state", "dead", "--json").json
        retried = parti("retry", dead["id"], "--json").json["runs"][0]
        assert (retried["id"], retried["attempt"]) == (dead["id"], 2)
        parti("publish", "orders", '{"id": "d", "note": "ask"}')
        until(waits_for_boss, running)
        [asking] = parti("runs", "--state", "waiting", "--json").json
        assert parti("cancel", asking["id"], "--json").json["state"] == "cancelled"
        assert parti("cancel", asking["id"], "--json").error == "P309"
        assert running.end().code == 0


def test_the_kept_token_is_for_its_owner_alone_and_stays(desk: Path) -> None:
    with up(desk) as running:
        running.end()
    kept = desk / "desk.parti.token"
    token = kept.read_text(encoding="ascii")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(token.strip()) == 32
    with up(desk) as running:
        running.end()
    assert kept.read_text(encoding="ascii") == token


def test_a_given_token_is_needed_and_not_kept(desk: Path) -> None:
    with up(desk, PARTI_TOKEN="a word of mine"):
        assert parti("cancel", "x", "--json").error == "P308"
        assert parti("publish", "orders", '{"id": "a"}', "--json").error == "P502"
        assert parti("publish", "orders", '{"id": "a"}', env={"PARTI_TOKEN": "a word of mine"}).code == 0
    assert not (desk / "desk.parti.token").exists()


def test_a_second_one_on_the_same_store_is_p201(desk: Path) -> None:
    with up(desk) as running:
        second = parti("up", "--port", "0", "--json")
        assert (second.code, second.error) == (2, "P201")
        assert str(running.process.pid) in second.err


def test_a_taken_port_is_p505_and_nothing_is_begun(desk: Path) -> None:
    parti("publish", "orders", '{"id": "a"}')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = parti("up", "--until-idle", "--port", str(taken.getsockname()[1]), "--json")
    assert (said.code, said.error) == (2, "P505")
    assert parti("runs", "--json").json == []


def test_an_address_that_others_reach_needs_a_token(desk: Path) -> None:
    assert parti("up", "--host", "0.0.0.0", "--port", "0", "--json").error == "P501"
    with up(desk, "--host", "0.0.0.0", "--token", "chosen"):
        assert parti("publish", "orders", '{"id": "a"}', "--token", "chosen").code == 0


def test_a_holder_that_does_not_listen_is_p201(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parti.wiring.changes.PATIENCE", 0.0)
    store = wiring.open_store(desk / "desk.parti")
    assert parti("publish", "orders", '{"id": "a"}', "--json").error == "P201"
    asyncio.run(store.close())


def test_a_holder_that_does_not_answer_is_p506(desk: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    store = wiring.open_store(desk / "desk.parti")
    store.announce(f"http://127.0.0.1:{port}")
    assert parti("publish", "orders", '{"id": "a"}', "--json").error == "P506"
    asyncio.run(store.close())


def test_stand_ins_answer_only_when_switched_on(desk: Path) -> None:
    parti("publish", "orders", '{"id": "a", "note": "ask"}')
    first = json.loads(parti("up", "--until-idle", "--port", "0", "--json").out.splitlines()[-1])
    assert [first["runners"][0][name] for name in ("done", "waiting")] == [0, 1]
    second = json.loads(parti("up", "--until-idle", "--port", "0", "--json", "--stand-ins").out.splitlines()[-1])
    assert [second["runners"][0][name] for name in ("done", "waiting")] == [1, 0]


def test_a_damaged_store_is_opened_only_with_accept_loss(desk: Path) -> None:
    parti("publish", "orders", '{"id": "a"}')
    parti("publish", "orders", '{"id": "b"}')
    (desk / "desk.parti.ack").write_bytes(b"")
    for beside in desk.glob("desk.parti-*"):
        beside.unlink()
    (desk / "desk.parti").rename(desk / "newer")
    parti("publish", "orders", '{"id": "a"}')
    old = (desk / "desk.parti").read_bytes()
    parti("publish", "orders", '{"id": "b"}')
    for beside in desk.glob("desk.parti-*"):
        beside.unlink()
    (desk / "desk.parti").write_bytes(old)
    lost = parti("up", "--until-idle", "--port", "0", "--json")
    assert (lost.code, lost.error) == (2, "P204")
    assert parti("up", "--until-idle", "--port", "0", "--accept-loss").code == 0


STUBBORN = '''"""A desk whose work never ends."""
import asyncio
import threading

from pydantic import BaseModel

from parti import System

desk = System("desk")


class Thing(BaseModel):
    id: str


things = desk.topic("things", Thing, key="id")


@desk.on(things)
async def hold(thing: Thing) -> None:
    """Never ends."""
    await asyncio.Event().wait()
'''

TRAINING = (
    STUBBORN
    + """

def learn() -> object:
    threading.Event().wait()


slow = desk.model("slow", inputs=Thing, output=Thing, train=learn)
"""
)


def read_until(running: subprocess.Popen[str], text: str) -> None:
    assert running.stderr is not None
    for line in running.stderr:
        if text in line:
            return
    raise AssertionError(f"it never said {text!r}")


def test_a_second_signal_ends_it_at_once(desk: Path) -> None:
    (desk / "app.py").write_text(STUBBORN, encoding="utf-8")
    parti("publish", "things", '{"id": "a"}')
    with up(desk) as running:
        until(lambda: bool(parti("runs", "--state", "running", "--json").json), running)
        running.process.send_signal(signal.SIGINT)
        read_until(running.process, "stopping")
        assert running.end(signal.SIGINT).code == -signal.SIGINT
    assert parti("verify").code == 0


def test_a_signal_while_a_model_is_trained_ends_it_at_once(desk: Path) -> None:
    (desk / "app.py").write_text(TRAINING, encoding="utf-8")
    process = start(desk)
    read_until(process, "training slow, which has no version yet")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WITHIN)
    assert process.returncode == 130
    assert parti("models", "--json").json == []


def test_no_train_trains_nothing(desk: Path) -> None:
    (desk / "app.py").write_text(TRAINING, encoding="utf-8")
    assert parti("up", "--no-train", "--until-idle", "--port", "0").code == 0


def test_the_command_line_imports_nothing_heavy_before_it_knows_what_to_do() -> None:
    heavy = {"uvicorn", "starlette", "numpy", "sklearn", "onnxruntime", "jsonschema", "parti.engine", "parti.wiring"}
    code = f"import sys, parti.cli; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=WITHIN)
    assert done.stdout.strip() == "[]"
