"""What the search for plans found beside other ways to plan, as a page."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bench.report import machine_text

METHODS: Final = {"parti": "Parti", "inferline": "InferLine", "tpe": "TPE", "random": "random"}


def markdown(found: Mapping[str, Any]) -> str:
    """The page: machine, what each table means, tables."""
    lines = ["# The search for plans", "", f"Measured {found['when']} on {machine_text(dict(found['machine']))}."]
    lines += [
        "How: see [bench/README.md](../README.md). Seconds are CPU seconds of one core, the same for each method."
    ]
    lines += [f"\n**{warning}**" for warning in found["warnings"]]
    for section in found["sections"]:
        lines += ["", f"## {section['title']}", "", *_table(section["rows"])]
    lines += ["", *_long(found["long"]), "", *_verified(found["verified"])]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "Dollars an hour above the best that any method found; *relaxed*: proved if waiting in one part never helps in another."
    yield ""
    yield _row(["problem", "plans", "best, $/h", *METHODS.values(), "proved within", "relaxed", "CPU s"])
    yield _row(["---"] * (6 + len(METHODS)))
    for row in rows:
        best = min(row[name] for name in METHODS)
        gaps = [_above(row[f"{name}_gap"]) for name in METHODS]
        proofs = [_share(row["strict_gap"]), _share(row["relaxed_gap"])]
        yield _row([str(row["problem"]), f"{row['plans']:.0e}", f"{best:.2f}", *gaps, *proofs, f"{row['seconds']:.1f}"])
    means = [_above(_mean([row[f"{name}_gap"] for row in rows])) for name in METHODS]
    proofs = [_share(_mean([row[key] for row in rows])) for key in ("strict_gap", "relaxed_gap")]
    yield _row(["mean", "", "", *means, *proofs, f"{_mean([row['seconds'] for row in rows]):.1f}"])


def _long(row: Mapping[str, Any] | None) -> Iterator[str]:
    yield "## Ten parts, by 120 s"
    yield ""
    if row is None:
        yield "No plan was found."
        return
    relaxed = "proved optimal" if row["relaxed_gap"] == 0 else f"within {row['relaxed_gap']:.1%} of the best"
    yield (
        f"{row['plans']:.0e} plans: ${row['parti']:.2f} an hour after {row['seconds']:.1f} CPU seconds and {row['extensions']:,} "
        f"simulated stages, {relaxed} if waiting in one part never helps in another, and within {row['strict_gap']:.1%} without that."
    )


def _verified(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Plans in a hundred fresh runs"
    yield ""
    yield _row(["problem", "broken without verification", "broken with", "$/h without", "$/h with", "safety", "rounds"])
    yield _row(["---"] * 7)
    for row in rows:
        safety = f"+{row['cost_with'] / row['cost_without'] - 1:.1%}"
        costs = [f"{row['cost_without']:.2f}", f"{row['cost_with']:.2f}"]
        yield _row(
            [str(row[key]) for key in ("problem", "broken_without", "broken_with")]
            + [*costs, safety, str(row["rounds"])]
        )


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return statistics.fmean(finite) if finite else math.nan


def _above(gap: float) -> str:
    return f"+{gap:.1%}" if math.isfinite(gap) else "none"


def _share(gap: float) -> str:
    return "optimal" if gap == 0 else f"{gap:.1%}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
