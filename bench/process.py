"""Runs one measurement in a process and a directory of its own, and takes the median of several rounds."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.venv import ROOT

TIMEOUT_SECONDS = 300.0
QUIET = {
    "LANGSMITH_TRACING": "false",
    "BURR_TELEMETRY_ENABLED": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "ignore",
}
"""What every measuring process finds in its environment: nobody traces and nobody calls home."""

Figures = dict[str, Any]


def measure(python: Path | str, module: str, options: Sequence[str], *, scratch: Path) -> Figures:
    """The figures that `python -m module` prints, or ``{"error": …}`` with its last words."""
    directory = Path(tempfile.mkdtemp(dir=scratch))
    command = [str(python), "-m", module, "--directory", str(directory), *options]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"error": f"it did not end within {TIMEOUT_SECONDS:.0f} s"}
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return read_answer(done.returncode, done.stdout, done.stderr)


def read_answer(status: int, output: str, errors: str) -> Figures:
    """The JSON object in the last line of `output`, or why there is none."""
    lines = output.strip().splitlines()
    if status == 0 and lines and lines[-1].startswith("{"):
        figures: Figures = json.loads(lines[-1])
        return figures
    words = errors.strip().splitlines() or lines or ["it printed nothing"]
    # The last line of an error of Parti says what to do; the one before says what is wrong.
    last = " ".join(word.strip() for word in words[-2:] if not word.startswith("Traceback"))
    return {"error": f"it ended with status {status}: {last[-400:]}"}


def median(rounds: Sequence[Figures]) -> Figures:
    """The median of each number over the rounds, with the lowest and highest of each rate; an error if all failed."""
    good = [figures for figures in rounds if "error" not in figures]
    if not good:
        return rounds[-1]
    joined = dict(good[0])
    for name, value in good[0].items():
        if isinstance(value, int | float):
            values = [figures[name] for figures in good]
            joined[name] = statistics.median(values)
            if name.endswith("_per_second"):
                joined[f"{name}_low"], joined[f"{name}_high"] = min(values), max(values)
    joined["rounds"] = len(good)
    failed = [figures["error"] for figures in rounds if "error" in figures]
    if failed:
        joined["failed_rounds"] = failed
    return joined
