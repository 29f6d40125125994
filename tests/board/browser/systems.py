"""Running systems for the browser: the real `parti up` in processes of their own, and load for them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import httpx

PARTI = [sys.executable, "-c", "from parti.cli import main; main()"]
LENDING = Path(__file__).parents[3] / "examples" / "lending"
TOKEN = "a-token-of-the-tests"
NOWHERE = "http://127.0.0.1:9/v1"
"""A language model that nothing answers for: letters then come from the template, and the plan shows failures."""

WITHIN = 60.0


@dataclass
class System:
    """A `parti up` that can be stopped and started again at the same address."""

    folder: Path
    arguments: tuple[str, ...] = ()
    url: str = ""
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def start(self) -> System:
        """Start it; returns when it listens."""
        port = self.url.rpartition(":")[2] or "0"
        with (self.folder / "log.txt").open("a") as log:
            self.process = subprocess.Popen(
                [*PARTI, "up", "app.py", "--port", port, "--json", "--token", TOKEN, *self.arguments],
                cwd=self.folder,
                env={**os.environ, "PARTI_LLM": NOWHERE, "PARTI_LLM_MODEL": "none"},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        head = self.process.stdout.readline()
        if not head:
            self.process.communicate(timeout=WITHIN)
            raise AssertionError((self.folder / "log.txt").read_text())
        said = json.loads(head)
        self.url = said["url"]
        assert said["board"] == f"{self.url}/-/board/"
        return self

    def stop(self) -> float:
        """Stop it in an orderly way; how many seconds that took."""
        assert self.process is not None
        before = os.times().elapsed
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=WITHIN)
        return os.times().elapsed - before

    def kill(self) -> None:
        """End it at once, as a lost machine would."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.communicate(timeout=WITHIN)

    def publish(self, topic: str, *events: dict[str, object]) -> None:
        """Publish events to a topic."""
        body = "\n".join(json.dumps(event) for event in events)
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/x-ndjson"}
        answer = httpx.post(f"{self.url}/-/topics/{topic}", content=body, headers=headers, trust_env=False)
        assert answer.status_code < 300, answer.text


class Load:
    """Publishes an application every so often, under fresh ids, from a thread of its own."""

    EVERY = 0.05

    def __init__(self, system: System) -> None:
        self._system = system
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(WITHIN)

    def _publish(self) -> None:
        number = 0
        while not self._over.wait(self.EVERY):
            number += 1
            try:
                # The recorded bank answers for a number; so an id of another makes for another application.
                self._system.publish("applications", application(f"hmda-{number % 2000 + 1}"))
            except httpx.HTTPError:
                continue  # it is being restarted


def application(id: str) -> dict[str, object]:
    """An application to the lending desk."""
    return {
        "id": id, "debt_to_income": 0.3, "loan_to_value": 0.8, "credit_history": 1, "mortgage_history": 1,
        "public_record": False, "unemployment": 3.2, "self_employed": False, "race": "white", "single": False,
    }  # fmt: skip


def copied(folder: Path) -> Path:
    """The lending example in a folder of its own."""
    shutil.copytree(LENDING, folder, ignore=shutil.ignore_patterns("*.parti*", "outbox", "__pycache__"))
    return folder
