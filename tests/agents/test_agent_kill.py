"""A real process that runs an agent is killed again and again: the outside sees each payment once, and no answered turn asked again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Lock, Thread
from typing import Any

import pytest

PAYMENTS = 4
WITHIN = 60.0

APP = """\
import httpx
from pydantic import BaseModel
from parti import System

OUTSIDE = "{url}"

class Order(BaseModel):
    id: str

desk = System("desk")
orders = desk.topic("orders", Order, key="id")

async def happened(key: str) -> str | None:
    async with httpx.AsyncClient() as client:
        return (await client.get(OUTSIDE + "/paid/" + key)).json()

@desk.tool(effect="write", key="id", reconcile=happened)
async def pay(id: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.post(OUTSIDE + "/pay/" + id)).json()

clerk = desk.agent("clerk", llm=desk.llm(OUTSIDE + "/v1", model="any", name="far"), tools=[pay])

@desk.on(orders, timeout="10m")
async def work(order: Order) -> None:
    assert await clerk.run("Pay what is due.") == "All is paid."
"""


@dataclass
class Outside:
    """A model and a bank, behind one server, which kills the process that it serves at one of its messages.

    A fuse burns before the message has an effect, or after the effect and before the answer.
    """

    url: str = ""
    pid: int = 0
    fuse: int = 0
    effective: bool = False
    seen: list[list[str]] = field(default_factory=list)
    """What each process asked for."""
    paid: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)
    """Held from the start of a process until its fuse is lit."""

    def light(self, pid: int, fuse: int, *, effective: bool) -> None:
        """Another process is served, until its message number `fuse`."""
        self.pid, self.fuse, self.effective = pid, fuse, effective
        self.seen.append([])

    def hear(self, what: str) -> bool:
        """A message; whether it is answered."""
        with self.lock:
            self.seen[-1].append(what)
        dies = len(self.seen[-1]) == self.fuse
        if what.startswith("pay ") and (not dies or self.effective):
            self.paid[what] += 1
        if dies:
            os.kill(self.pid, signal.SIGKILL)
        return not dies


def turn(messages: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """The number of the turn that is asked for, and its answer."""
    number = sum(message["role"] == "assistant" for message in messages)
    if number == PAYMENTS:
        return number, {"role": "assistant", "content": "All is paid."}
    call = {"name": "pay", "arguments": json.dumps({"id": f"p{number}"})}
    return number, {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"c{number}", "type": "function", "function": call}],
    }


@contextmanager
def an_outside() -> Iterator[Outside]:
    outside = Outside()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path.startswith("/pay/"):
                if outside.hear(f"pay {self.path.rpartition('/')[2]}"):
                    self.say("paid")
                return
            number, message = turn(json.loads(body)["messages"])
            if outside.hear(f"turn {number}"):
                reason = "tool_calls" if message.get("tool_calls") else "stop"
                choice = {"index": 0, "message": message, "finish_reason": reason}
                head = {"id": f"a{number}", "object": "chat.completion", "created": 0, "model": "any"}
                self.say({**head, "choices": [choice]})

        def do_GET(self) -> None:
            self.say("paid" if outside.paid[f"pay {self.path.rpartition('/')[2].rpartition(':')[2]}"] else None)

        def say(self, what: Any) -> None:
            body = json.dumps(what).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Tests say enough."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        outside.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield outside
        server.shutdown()
        thread.join()


def parti(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-c", "from parti.cli import main; main()", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_process_pays_once_and_asks_no_answered_turn_again(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    with an_outside() as outside:
        (tmp_path / "app.py").write_text(APP.format(url=outside.url), encoding="utf-8")
        published = parti(tmp_path, "publish", "orders", '{"id": "a"}')
        _, err = published.communicate(timeout=WITHIN)
        assert published.returncode == 0, err
        statuses: list[int] = []
        while not statuses or statuses[-1]:
            with outside.lock:
                process = parti(tmp_path, "up", "--until-idle", "--port", "0", "--json")
                outside.light(process.pid, chance.randint(2, 3), effective=chance.random() < 0.5)
            out, err = process.communicate(timeout=WITHIN)
            statuses.append(process.returncode)
            assert statuses[-1] in (0, -signal.SIGKILL), err
            assert len(statuses) < 20, outside.seen
        assert json.loads(out.splitlines()[-1])["runners"][0]["done"] == 1, err

    assert statuses.count(-signal.SIGKILL) >= 3
    assert outside.paid == {f"pay p{number}": 1 for number in range(PAYMENTS)}
    for number, life in enumerate(outside.seen):
        # What was paid follows from the turn before it, whose answer was on the disk by then.
        known = [
            f"turn {what.removeprefix('pay p')}"
            for earlier in outside.seen[:number]
            for what in earlier
            if "pay" in what
        ]
        assert not set(known) & set(life), outside.seen
