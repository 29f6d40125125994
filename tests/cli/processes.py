"""Real processes of the command `parti`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli_apps import Said

PARTI = [sys.executable, "-c", "from parti.cli import main; main()"]
WITHIN = 60.0


@dataclass(slots=True)
class Running:
    """A `parti up` that has said where it listens."""

    process: subprocess.Popen[str]
    url: str

    def end(self, number: signal.Signals = signal.SIGTERM) -> Said:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=WITHIN)
        return Said(self.process.returncode, out, err)


def start(folder: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    """`parti up` in a folder, on a free port unless told otherwise."""
    port = () if "--port" in arguments else ("--port", "0")
    return subprocess.Popen(
        [*PARTI, "up", *port, "--json", *arguments],
        cwd=folder,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def up(folder: Path, *arguments: str, **env: str) -> Iterator[Running]:
    """A system that runs in a process of its own; killed at the end if it still does."""
    process = start(folder, *arguments, **env)
    try:
        assert process.stdout is not None
        head = process.stdout.readline()
        if not head:
            raise AssertionError(process.communicate(timeout=WITHIN)[1])
        yield Running(process, str(json.loads(head)["url"]))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=WITHIN)


def finished(folder: Path, *arguments: str, **env: str) -> Said:
    """What a command says that ends by itself."""
    done = subprocess.run(
        [*PARTI, *arguments],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
