"""How good the search for plans is: proofs and gaps beside InferLine's greedy, Optuna's TPE and random plans, on one simulator.

    python -m bench.plan_search                      five and ten parts
    python -m bench.plan_search --parts 5 --problems 8 --seconds 3
    python -m bench.plan_search --verify             how many fresh runs break a plan, with and without verification
    python -m bench.plan_search --publish            all of it, and ten parts for 120 s, into bench/results: within six minutes

Seconds are CPU seconds of this process, of one core: a busy machine slows all methods alike.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.machine import machine, warnings
from bench.peers.plan_peers import by_chance, by_inferline, by_tpe, peer
from bench.plan_problems import Pipeline, made
from bench.search_report import markdown
from bench.venv import ROOT
from parti.optimise.found import Limits
from parti.optimise.measuring import measured
from parti.optimise.problem import Plan, Promise
from parti.optimise.refusing import NoPlan
from parti.optimise.searching import search
from parti.optimise.verifying import verify

RESULTS = ROOT / "bench" / "results"
SEED = 1
FRESH = 100
METHODS = ("parti", "inferline", "tpe", "random")
HAS_OPTUNA = importlib.util.find_spec("optuna") is not None
"""`pip install 'parti[bench]'` brings it; without, TPE finds nothing."""


@dataclass(frozen=True)
class Size:
    """So many parts, problems, and CPU seconds for each method."""

    parts: int
    problems: int
    seconds: float
    requests: int = 10_000


def compared(number: int, size: Size) -> dict[str, Any] | None:
    """One problem by all methods; None where nobody finds a plan. Costs are USD per hour."""
    pipeline, promise = made(number, parts=size.parts, requests=size.requests)
    row = _searched(number, size, pipeline, promise)
    if row is None:
        return None
    for name, method in (
        ("inferline", by_inferline),
        ("tpe", lambda each: by_tpe(each, seed=SEED) if HAS_OPTUNA else math.inf),
        ("random", lambda each: by_chance(each, seed=SEED)),
    ):
        began = time.process_time()
        row[name] = method(peer(pipeline, promise, seed=SEED, seconds=size.seconds, clock=time.process_time))
        row[f"{name}_seconds"] = time.process_time() - began
    best = min(row[name] for name in METHODS)
    row |= {f"{name}_gap": row[name] / best - 1 for name in METHODS}
    return row


def searched(number: int, size: Size) -> dict[str, Any] | None:
    """One problem by Parti alone."""
    return _searched(number, size, *made(number, parts=size.parts, requests=size.requests))


def _searched(number: int, size: Size, pipeline: Pipeline, promise: Promise) -> dict[str, Any] | None:
    row: dict[str, Any] = {"problem": number, "parts": size.parts, "plans": pipeline.problem.plans}
    try:
        found = search(
            pipeline.problem, pipeline, promise, seed=SEED, clock=time.process_time, limits=Limits(size.seconds)
        )
    except NoPlan:
        return None
    row |= {"parti": found.best.cost, "seconds": found.elapsed, "extensions": found.extensions}
    return row | {"relaxed_gap": found.relaxed.gap, "strict_gap": found.proof.gap}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean gaps to the best known (of those that found a plan), and how often none was found."""
    made: dict[str, Any] = {"problems": len(rows)}
    for name in METHODS:
        gaps = [row[f"{name}_gap"] for row in rows if math.isfinite(row[name])]
        made[f"{name}_gap"] = statistics.fmean(gaps) if gaps else math.nan
        made[f"{name}_without"] = len(rows) - len(gaps)
    return made


def table(rows: Sequence[dict[str, Any]], size: Size) -> Table:
    """The rows for the terminal."""
    title = f"{size.parts} parts, {size.seconds:g} CPU seconds for each method: USD per hour above the best known"
    shown = Table("problem", "plans", "USD/h", "Parti", "InferLine", "TPE", "random", "proof", "CPU s", title=title)
    for row in rows:
        gaps = [_share(row[f"{name}_gap"]) for name in METHODS]
        proof = "optimal*" if row["relaxed_gap"] == 0 else f"within {row['relaxed_gap']:.1%}*"
        if row["strict_gap"] == 0:
            proof = "optimal"
        least = min(row[name] for name in METHODS)
        shown.add_row(str(row["problem"]), f"{row['plans']:.0e}", f"{least:.2f}", *gaps, proof, f"{row['seconds']:.1f}")
    means = summary(rows)
    shown.add_row("mean", "", "", *(_share(means[f"{name}_gap"]) for name in METHODS), "", "", style="bold")
    shown.caption = "* if waiting in one part never helps in another; without a star: whatever the network does"
    return shown


def _share(gap: float) -> str:
    return f"+{gap:.1%}" if math.isfinite(gap) else "none"


def verified(number: int, size: Size) -> dict[str, Any] | None:
    """One problem: in how many of a hundred fresh runs the plan breaks its promise, and what it costs, with and without verification."""
    pipeline, promise = made(number, parts=size.parts, requests=size.requests)
    try:
        done = verify(
            pipeline.problem, pipeline, promise, seed=SEED, clock=time.process_time, limits=Limits(size.seconds)
        )
    except NoPlan:
        return None
    return {
        "problem": number,
        "broken_without": _broken(pipeline, done.found.plan, promise),
        "broken_with": _broken(pipeline, done.plan, promise),
        "cost_without": done.found.best.cost,
        "cost_with": done.plan.cost,
        "rounds": len(done.rounds),
    }


def _broken(pipeline: Pipeline, plan: Plan, promise: Promise) -> int:
    runs = (measured(pipeline.problem, pipeline, plan, promise, seed=10_000 + run)[0] for run in range(FRESH))
    return sum(point.seconds > promise.seconds for point in runs)


def verified_table(rows: Sequence[dict[str, Any]], size: Size) -> Table:
    """The rows for the terminal."""
    shown = Table("problem", "broken without", "broken with", "USD/h without", "with", "safety", "rounds")
    shown.title = (
        f"{size.parts} parts: of {FRESH} fresh runs so many break the promise of a plan, without and with verification"
    )
    for row in rows:
        safety = row["cost_with"] / row["cost_without"] - 1
        cells = (row["problem"], row["broken_without"], row["broken_with"])
        costs = (f"{row['cost_without']:.2f}", f"{row['cost_with']:.2f}", f"+{safety:.1%}", str(row["rounds"]))
        shown.add_row(*map(str, cells), *costs)
    without, after = (statistics.fmean(row[key] for row in rows) for key in ("broken_without", "broken_with"))
    safety = statistics.fmean(row["cost_with"] / row["cost_without"] - 1 for row in rows)
    shown.add_row("mean", f"{without:.1f}", f"{after:.1f}", "", "", f"+{safety:.1%}", "", style="bold")
    return shown


@dataclass(frozen=True)
class Amount:
    """What is published: comparisons of two sizes, one long search, and verified plans."""

    few: Size = Size(5, 4, 3.0)
    many: Size = Size(10, 2, 15.0)
    long: Size = Size(10, 1, 120.0)
    verify: Size = Size(5, 3, 3.0)


QUICK = Amount(Size(2, 1, 0.2, 400), Size(3, 1, 0.2, 400), Size(3, 1, 0.2, 400), Size(2, 1, 1.0, 400))


def published(amount: Amount) -> dict[str, Any]:
    """All of it, as it is kept."""
    with tempfile.TemporaryDirectory(prefix="parti-search-") as scratch:
        facts = machine(Path(scratch))
    found: dict[str, Any] = {"version": 1, "when": datetime.now(UTC).isoformat(timespec="seconds"), "machine": facts}
    found["warnings"] = warnings(facts)
    warm()
    found["sections"] = [
        {"title": f"{size.parts} parts, {size.seconds:g} s", "rows": _rows(compared, size)}
        for size in (amount.few, amount.many)
    ]
    found["long"] = searched(0, amount.long)
    found["verified"] = _rows(verified, amount.verify)
    facts["load_after"] = os.getloadavg()[0]
    return found


def _rows(method: Callable[[int, Size], dict[str, Any] | None], size: Size) -> list[dict[str, Any]]:
    return [row for number in range(size.problems) if (row := method(number, size)) is not None]


def publish(amount: Amount, results: Path) -> None:
    """Measure, and write search.json and search.md into a folder."""
    found = published(amount)
    results.mkdir(parents=True, exist_ok=True)
    text = markdown(found)
    (results / "search.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (results / "search.md").write_text(text, encoding="utf-8")
    print(text)


def warm() -> None:
    """Compile what is compiled, so that nobody pays for it."""
    pipeline, promise = made(1, parts=2, requests=500)
    search(pipeline.problem, pipeline, promise, seed=SEED, clock=time.process_time, limits=Limits(60.0))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and show; `--json` prints the rows instead."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, help="only problems with so many parts")
    parser.add_argument("--problems", type=int, default=4)
    parser.add_argument("--seconds", type=float, help="CPU seconds for each method")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--quick", action="store_true", help="publish the smallest case of each, which says nothing")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    if chosen.publish:
        publish(QUICK if chosen.quick else Amount(), chosen.results)
        return
    seconds = {5: 3.0, 10: 15.0}
    sizes = [chosen.parts] if chosen.parts else [5] if chosen.verify else [5, 10]
    console, everything = Console(width=130), []
    warm()
    for parts in sizes:
        size = Size(parts, chosen.problems, chosen.seconds or seconds.get(parts, 15.0))
        method = verified if chosen.verify else compared
        rows = _rows(method, size)
        everything += rows
        if not chosen.json:
            console.print((verified_table if chosen.verify else table)(rows, size))
    if chosen.json:
        print(json.dumps(everything, indent=2))


if __name__ == "__main__":
    main()
