"""How long Parti takes to be there: `import parti`, and `parti up` of a ten-line app to its first finished run."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from bench.subject import report

SETTINGS = "the fastest of five, each in a fresh interpreter, files cached by the system; `parti up` until a durable POST of one step is answered"
IMPORT = "import time; started = time.perf_counter(); import parti; print(time.perf_counter() - started)"
WAIT_SECONDS_MAX = 30.0
APP = '''"""The smallest app that has a durable run."""
from parti import System

desk = System("desk")

@desk.step()
async def add(value: int) -> int:
    return value + 1

@desk.post("/add/{value}")
async def increased(value: int) -> int:
    return await add(value)
'''


def import_seconds() -> float:
    """Seconds that `import parti` takes in a new interpreter."""
    return float(subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True, text=True).stdout)


def up_seconds(directory: Path) -> float:
    """Seconds from starting `parti up` until a durable POST has been answered."""
    app = directory / "app.py"
    app.write_text(APP, encoding="utf-8")
    port = _free_port()
    parti = shutil.which("parti", path=str(Path(sys.executable).parent)) or "parti"
    started = time.perf_counter()
    process = subprocess.Popen(
        [parti, "up", str(app), "--port", str(port)], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        while not _finished(port):
            if process.poll() is not None:
                assert process.stdout is not None, "its output is a pipe"
                raise RuntimeError(f"`parti up` ended: {process.stdout.read().decode()[-500:]}")
            if time.perf_counter() - started > WAIT_SECONDS_MAX:
                raise RuntimeError("`parti up` did not answer")
            time.sleep(0.005)
        return time.perf_counter() - started
    finally:
        process.terminate()
        process.communicate(timeout=WAIT_SECONDS_MAX)


def _finished(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS_MAX)
    with contextlib.closing(connection), contextlib.suppress(ConnectionError):
        connection.request("POST", "/add/1")
        answer = connection.getresponse()
        if answer.status == 200 and answer.read() == b"2":
            return True
        raise RuntimeError(f"`parti up` answered {answer.status}: {answer.read()[:300]!r}")
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def main() -> None:
    """Measure and report the fastest of a few attempts for each."""
    parser = ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--attempts", type=int, default=5)
    asked = parser.parse_args()
    figures = {"import_ms": 1000 * min(import_seconds() for _ in range(asked.attempts))}
    ups = []
    for attempt in range(asked.attempts):
        directory = asked.directory / f"up{attempt}"
        directory.mkdir()
        ups.append(up_seconds(directory))
    figures["up_to_first_run_ms"] = 1000 * min(ups)
    report(figures, settings=SETTINGS, packages=("parti",))


if __name__ == "__main__":
    main()
