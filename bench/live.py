"""A system under `parti up` in a process of its own, and loads that another process puts on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.process import QUIET
from bench.venv import ROOT

STOP_SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Sent:
    """Requests that were sent: when (seconds since 1970), for how long their answers took (None: there was none), their status."""

    at: Sequence[float]
    took: Sequence[float | None]
    status: Sequence[int]

    @property
    def failed(self) -> int:
        """How many were not answered well."""
        return sum(status != 200 for status in self.status)


@dataclass(frozen=True)
class Live:
    """A running system: its process and port, its store, and where files of loads lie."""

    process: int
    port: int
    store: Path
    directory: Path

    def load(
        self, paths: Sequence[str], due: Sequence[float], *, bodies: Sequence[str] = (), one_by_one: bool = False, seconds: float = 300.0
    ) -> Sent:  # fmt: skip
        """POST requests at those times, in seconds from now. Raises CalledProcessError where the generator fails."""
        asked, told = self.directory / "asked.json", self.directory / "told.json"
        words = {
            "method": "POST",
            "paths": list(paths),
            "bodies": list(bodies),
            "due": list(due),
            "one_by_one": one_by_one,
        }
        asked.write_text(json.dumps(words), encoding="utf-8")
        command = [sys.executable, "-m", "bench.open_loop", "--port", str(self.port)]
        command += ["--asked", str(asked), "--told", str(told)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **QUIET}, check=True, timeout=max(due) + seconds)
        found = json.loads(told.read_text(encoding="utf-8"))
        return Sent(found["sent"], found["took"], found["status"])

    def loop_seconds(self) -> float:
        """CPU seconds of the thread of the event loop so far; NaN where the system does not tell."""
        path = Path(f"/proc/{self.process}/task/{self.process}/schedstat")
        return int(path.read_text(encoding="utf-8").split()[0]) / 1e9 if path.exists() else float("nan")


def parti(*words: str | Path) -> list[str]:
    """The command line of `parti` with these words, of this installation."""
    program = shutil.which("parti", path=str(Path(sys.executable).parent)) or "parti"
    return [program, *map(str, words)]


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a system that is measured: quiet, with this checkout, and its plan."""
    paths = (str(ROOT), str(ROOT / "src"))
    return {**os.environ, **QUIET, "NO_COLOR": "1", **environment, "PYTHONPATH": os.pathsep.join(paths)}


def run(command: Sequence[str], environment: Mapping[str, str], *, allowed: Sequence[int] = (0,)) -> None:
    """Run a command to its end. Raises RuntimeError with its last words for another exit status than those that are `allowed`."""
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode not in allowed:
        raise RuntimeError(f"{' '.join(command[1:3])} ended with {done.returncode}: {done.stderr[-500:]}")


@contextmanager
def up(app: Path, directory: Path, environment: Mapping[str, str], *options: str) -> Iterator[Live]:
    """`parti up` of an app with its store in `directory`, until the end of the block. Raises RuntimeError where it does not start."""
    store, errors = directory / "live.parti", directory / "errors.txt"
    command = parti("up", app, "--store", store, "--port", "0", "--json", *options)
    with errors.open("wb") as told:
        process = subprocess.Popen(
            command, cwd=directory, env=surroundings(environment), stdout=subprocess.PIPE, stderr=told
        )
        try:
            assert process.stdout is not None, "its output is a pipe"
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"`parti up` ended: {errors.read_text(encoding='utf-8')[-500:]}")
            words: dict[str, Any] = json.loads(line)
            port = urlsplit(words["url"]).port
            assert port is not None, f"{words['url']} names no port"
            yield Live(process.pid, port, store, directory)
        finally:
            process.terminate()
            process.communicate(timeout=STOP_SECONDS_MAX)
