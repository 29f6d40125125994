"""The results as a table for the terminal, as JSON and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from bench.process import Figures

COMPARED = (
    ("subject", "{}"),
    ("at once", "{}"),
    ("steps/s", "{:,.0f}"),
    ("range", "{}"),
    ("runs/s", "{:,.0f}"),
    ("p50 ms", "{:,.1f}"),
    ("p99 ms", "{:,.1f}"),
    ("CPU ms", "{:,.2f}"),
)
AGENTS_TITLE = "Agents of five turns (steps are turns)"
ALONE = {
    "events_per_second": "{:,.0f} events/s",
    "cpu_ms_per_event": "{:.2f} ms CPU an event",
    "requests_per_second": "{:,.0f} requests/s",
    "p50_ms": "p50 {:.1f} ms",
    "p99_ms": "p99 {:.1f} ms",
    "events_waiting": "{:,.0f} events waiting",
    "resident_before_mib": "{:.0f} MiB before",
    "resident_mib": "{:.0f} MiB resident",
    "resident_peak_mib": "{:.0f} MiB at the peak",
    "published_per_second": "{:,.0f} published/s",
    "conversation_turns": "{:,.0f} turns",
    "resume_ms": "resumed in {:,.0f} ms",
    "asked_again": "{:.0f} answered turns asked again",
    "journal_bytes_per_turn": "{:,.0f} bytes of journal a turn",
    "bytes_growth": "{:.2f} times as many late as early",
    "cpu_ms_per_turn": "{:.2f} ms CPU a turn",
    "cpu_growth": "{:.2f} times as much late as early",
    "model_events_per_second": "{:,.0f} model events/s",
    "mean_latency_error": "mean latency {:.1%} from the exact one",
    "first_simulation_ms": "first result after {:.0f} ms",
    "import_ms": "`import parti` {:.0f} ms",
    "labels_more_percent": "labels held cost {:.0f} % more CPU than none",
    "labels_traced_more_percent": "with arguments traced {:.0f} %",
    "labels_gated_more_percent": "where a gate decides once {:.0f} %",
    "labels_gated_traced_more_percent": "and traces {:.0f} %",
    "check_ms": "`parti check` {:.0f} ms",
    "up_to_first_run_ms": "`parti up` to its first finished run {:.0f} ms",
}


def compared_cells(row: Figures) -> list[str]:
    """The cells of one row of the comparison; a row that failed says why in its third cell."""
    head = [str(row["subject"]), str(row["concurrency"])]
    if "error" in row:
        return [*head, f"not measured: {row['error']}", *[""] * (len(COMPARED) - 3)]
    spread = f"{row['steps_per_second_low']:,.0f} to {row['steps_per_second_high']:,.0f}"
    values = [
        row["steps_per_second"],
        spread,
        row["runs_per_second"],
        row["p50_ms"],
        row["p99_ms"],
        row["cpu_ms_per_run"],
    ]
    return head + [shape.format(value) for (_, shape), value in zip(COMPARED[2:], values, strict=True)]


def alone_text(row: Figures) -> str:
    """What a scenario of Parti alone measured, in words."""
    if "error" in row:
        return f"not measured: {row['error']}"
    return ", ".join(shape.format(row[name]) for name, shape in ALONE.items() if name in row)


def ordered(rows: Sequence[Figures]) -> list[Figures]:
    """Rows by concurrency, the fastest first."""
    return sorted(rows, key=lambda row: (row["concurrency"], -row.get("steps_per_second", -1.0)))


def journal_text(rows: Sequence[Figures]) -> str:
    """How many bytes a step of Parti takes, or "" when it was not measured."""
    plain = [row for row in rows if row["subject"] == "Parti" and "error" not in row]
    sizes = [(row["journal_bytes_per_step"], row["file_bytes_per_step"]) for row in plain]
    if not sizes:
        return ""
    journal, file = (sorted(column)[len(sizes) // 2] for column in zip(*sizes, strict=True))
    return f"{journal:.0f} bytes of journal a step, {file:.0f} bytes of file a step (runs, index and all)"


def machine_text(facts: dict[str, Any]) -> str:
    """The machine in one sentence."""
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, {facts['system']}, "
        f"{facts['file_system']}, fsync {facts['fsync_p50_ms']:.2f} ms (p99 {facts['fsync_p99_ms']:.2f} ms), "
        f"Python {facts['python']}, SQLite {facts['sqlite']}; load {facts['load_before']:.1f} before, "
        f"{facts['load_after']:.1f} after"
    )


def show(results: dict[str, Any], console: Console) -> None:
    """Print the results, as narrow as a terminal wants them: without the range."""
    if results["runs"]:
        console.print(_compared_table(results["runs"], "Durable runs of five steps"))
    if results.get("agents"):
        console.print(_compared_table(results["agents"], AGENTS_TITLE))
    if results["alone"]:
        table = Table("scenario", Column("measured", overflow="fold"), title="Parti alone")
        for row in alone_rows(results):
            table.add_row(*row)
        console.print(table)
    console.print(machine_text(results["machine"]), highlight=False)
    for warning in results["warnings"]:
        console.print(warning, style="yellow", highlight=False)


def _compared_table(rows: Sequence[Figures], title: str) -> Table:
    heads = [name for name, _ in COMPARED]
    table = Table(title=title)
    for head in heads:
        if head != "range":
            table.add_column(head, justify="left" if head == "subject" else "right", overflow="fold")
    at_once = None
    for row in ordered(rows):
        if at_once not in (None, row["concurrency"]):
            table.add_section()
        at_once = row["concurrency"]
        cells = compared_cells(row)
        del cells[heads.index("range")]
        table.add_row(*cells)
    return table


def alone_rows(results: dict[str, Any]) -> list[tuple[str, str]]:
    """Title and figures of everything that was measured of Parti alone."""
    rows = [(row["scenario"], alone_text(row)) for row in results["alone"]]
    journal = journal_text(results["runs"])
    return [*rows, ("journal", journal)] if journal else rows


def markdown(results: dict[str, Any]) -> str:
    """The results as a page; it says what was measured and with which settings."""
    lines = [
        "# Benchmark results", "",
        f"Measured {results['when']} on {machine_text(results['machine'])}.",
        f"Each number is the median of {results['rounds']} interleaved rounds. How: see [bench/README.md](../README.md).",
        *(f"\n**{warning}**" for warning in results["warnings"]), "",
    ]  # fmt: skip
    if results["runs"]:
        lines += ["## Durable runs of five steps", ""]
        lines += _table([name for name, _ in COMPARED], [compared_cells(row) for row in ordered(results["runs"])])
    if results.get("agents"):
        lines += ["", f"## {AGENTS_TITLE}", ""]
        lines += _table([name for name, _ in COMPARED], [compared_cells(row) for row in ordered(results["agents"])])
    if results["alone"]:
        lines += ["", "## Parti alone", "", *_table(["scenario", "measured"], alone_rows(results))]
    lines += ["", "## Settings", ""]
    for name, settings in settings_of(results):
        lines.append(f"- **{name}**: {settings}")
    return "\n".join(lines) + "\n"


def failures(rows: Sequence[Figures]) -> list[str]:
    """A sentence for each row of which only some rounds succeeded."""
    return [
        f"{row.get('scenario') or row['subject']}: {len(row['failed_rounds'])} rounds failed ({row['failed_rounds'][0]})."
        for row in rows
        if "failed_rounds" in row
    ]


def settings_of(results: dict[str, Any]) -> list[tuple[str, str]]:
    """The settings and versions of every subject and scenario, each once."""
    found: dict[tuple[str, str], None] = {}
    for row in (*results["runs"], *results.get("agents", ()), *results["alone"]):
        if "settings" in row:
            versions = ", ".join(f"{package} {version}" for package, version in row["versions"].items())
            name = row.get("subject") or row["scenario"]
            found[name, row["settings"] + (f" ({versions})" if versions else "")] = None
    return list(found)


def write(results: dict[str, Any], directory: Path) -> None:
    """Write ``latest.json`` and ``latest.md``."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "latest.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (directory / "latest.md").write_text(markdown(results), encoding="utf-8")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [list(heads), ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
