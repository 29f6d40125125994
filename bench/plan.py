"""The proof that plans are right: predicted against measured, and InferLine's claim in simulation. `make bench-plan`

    python -m bench.plan                   all of it, about ten minutes on a quiet machine
    python -m bench.plan --quick           the smallest case of each
    python -m bench.plan --only pipeline   one of: pipeline, lending, coarse

Writes plan.json and plan.md into bench/results.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench import coarse, plan_lending, plan_pipeline
from bench.machine import machine, warnings
from bench.plan_report import markdown
from bench.venv import ROOT

RESULTS: Final = ROOT / "bench" / "results"
WHAT: Final = ("pipeline", "lending", "coarse")


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m bench.plan", description="Predicted against measured.")
    parser.add_argument("--only", nargs="+", choices=WHAT, default=list(WHAT))
    parser.add_argument(
        "--quick", action="store_true", help="the smallest case of each: it says nothing, but that all of it runs"
    )
    parser.add_argument(
        "--directory", type=Path, help="where stores lie for a while (default: the temporary directory)"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args(words)


def measured(asked: argparse.Namespace, say: plan_pipeline.Say) -> dict[str, Any]:
    """All that was asked for."""
    scratch = Path(tempfile.mkdtemp(prefix="parti-plan-", dir=asked.directory))
    try:
        facts = machine(scratch)
        found: dict[str, Any] = {
            "version": 1, "when": datetime.now(UTC).isoformat(timespec="seconds"), "machine": facts, "quick": asked.quick,
            "warnings": warnings(facts),
        }  # fmt: skip
        if "pipeline" in asked.only:
            amount = plan_pipeline.QUICK if asked.quick else plan_pipeline.Amount()
            found["pipeline"] = _section(
                *plan_pipeline.pipeline(_folder(scratch, "pipeline"), facts["cores"], amount, say)
            )
        if "lending" in asked.only:
            less = plan_lending.QUICK if asked.quick else plan_lending.Amount()
            found["lending"] = _section(*plan_lending.lending(_folder(scratch, "lending"), facts["cores"], less, say))
        if "coarse" in asked.only:
            say("InferLine's claim, in simulation")
            cases = coarse.cases(coarse.QUICK if asked.quick else coarse.Amount())
            found["coarse"] = {"summary": coarse.summary(cases), "cases": [asdict(case) for case in cases]}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    facts["load_after"] = os.getloadavg()[0]
    return found


def _folder(scratch: Path, name: str) -> Path:
    folder = scratch / name
    folder.mkdir()
    return folder


def _section(found: Sequence[plan_pipeline.Compared], facts: dict[str, Any]) -> dict[str, Any]:
    return {"facts": facts, "compared": [one.as_json() for one in found]}


def main(words: Sequence[str] | None = None) -> None:
    """Measure, write, and show."""
    asked = parse(words)
    progress = Console(stderr=True)
    found = measured(asked, lambda text: progress.print(f"· {text}", style="dim", highlight=False))
    asked.results.mkdir(parents=True, exist_ok=True)
    text = markdown(found)
    (asked.results / "plan.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (asked.results / "plan.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
