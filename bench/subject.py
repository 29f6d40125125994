"""What every measuring process has in common: its arguments, and the one JSON line that it prints."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

STEPS = 5


def arguments(*, concurrency: int = 1) -> argparse.Namespace:
    """``--directory`` (where databases lie), ``--concurrency``, ``--seconds`` (how long to measure, about), ``--api``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--concurrency", type=int, default=concurrency)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--api", choices=("best", "sync", "async"), default="best", help="which API of a peer")
    parser.add_argument("--fenced", action="store_true", help="Parti alone: every step is a write on the outside")
    parser.add_argument(
        "--through",
        choices=("script", "pydantic", "agent", "floor", "memory"),
        default="script",
        help="agents alone: how the model is asked",
    )
    parser.add_argument("--row-bytes", type=int, default=128, help="how large a row of the floor is")
    return parser.parse_args()


def report(figures: dict[str, Any], *, settings: str, packages: tuple[str, ...] = (), **more: Any) -> None:
    """Print the one line the harness reads: figures, and the settings and versions they were measured with."""
    if "runs_per_second" in figures:
        figures = {**figures, "steps_per_second": STEPS * figures["runs_per_second"]}
    versions = {package: version(package) for package in packages}
    print(json.dumps({**figures, **more, "settings": settings, "versions": versions}), flush=True)


def check(answer: object, number: int) -> None:
    """Fail loudly when five steps did not add five: a wrong answer must not look fast."""
    if answer != number + STEPS:
        raise AssertionError(f"five steps from {number} gave {answer}")
