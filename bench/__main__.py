"""`python -m bench`: measures everything on this machine, prints a table, and writes bench/results/latest.json and .md."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.machine import machine, warnings
from bench.process import Figures
from bench.report import failures, show, write
from bench.scenarios import AGENTS, AGENTS_AT_ONCE, KEYS, SUBJECTS, Bench
from bench.venv import ROOT, peers_environments

RESULTS = ROOT / "bench" / "results"


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """The options of the harness."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Parti beside its peers.")
    parser.add_argument("--only", nargs="+", choices=KEYS, default=list(KEYS), metavar="WHAT", help=", ".join(KEYS))
    parser.add_argument("--concurrency", nargs="+", type=int, default=[1, 64, 512])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement takes, about")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is repeated; the median counts")
    parser.add_argument("--events", type=int, default=100_000, help="how many events wait while memory is measured")
    parser.add_argument("--all-apis", action="store_true", help="measure each peer through every API it has")
    parser.add_argument(
        "--directory", type=Path, help="where databases lie for a while (default: the temporary directory)"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args(words)


def run(asked: argparse.Namespace) -> Figures:
    """Measure what was asked for."""
    progress = Console(stderr=True)

    def say(text: str) -> None:
        progress.print(f"· {text}", style="dim", highlight=False)

    chosen = [subject for subject in (*SUBJECTS, *AGENTS) if subject.packages and subject.key in asked.only]
    names = dict.fromkeys(subject.environment for subject in chosen)
    if "simulation" in asked.only:
        names["simulation"] = None
    environments = peers_environments(say, names)
    scratch = Path(tempfile.mkdtemp(prefix="parti-bench-", dir=asked.directory))
    try:
        facts = machine(scratch)
        bench = Bench(
            scratch=scratch, environments=environments, say=say, seconds=asked.seconds, rounds=asked.rounds,
            concurrencies=tuple(asked.concurrency), only=tuple(asked.only), all_apis=asked.all_apis,
            events=asked.events,
        )  # fmt: skip
        runs, agents, alone = bench.compare(), bench.compare(AGENTS, AGENTS_AT_ONCE), bench.alone()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    facts["load_after"] = os.getloadavg()[0]
    return {
        "version": 1,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": facts,
        "warnings": [*warnings(facts), *failures([*runs, *agents, *alone])],
        "rounds": asked.rounds,
        "seconds": asked.seconds,
        "runs": runs,
        "agents": agents,
        "alone": alone,
    }


def main() -> None:
    """Measure, show, write."""
    asked = parse()
    results = run(asked)
    write(results, asked.results)
    show(results, Console())


if __name__ == "__main__":
    main()
