"""What `parti check --against` shows: what changed, and where each run stands, alike ones together."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from parti.cli.output import counted, print_line

if TYPE_CHECKING:
    from parti.engine.verdicts import Standing
    from parti.verbs.against import Against

CHANGES_SHOWN: Final = 30
RUNS_NAMED: Final = 3
"""So many runs are named of each group; --json names all."""


def show_against(compared: Against, other: str) -> None:
    """Print the comparison."""
    changes = compared.changes.changes
    print_line(f"against {other}: {counted(len(changes), 'change')}", style="bold")
    for change in changes[:CHANGES_SHOWN]:
        print_line(f"  {change.place}: {change}", style="dim")
    if len(changes) > CHANGES_SHOWN:
        print_line(f"  and {len(changes) - CHANGES_SHOWN:,} more (--json names all)", style="dim")
    if not compared.stored:
        print_line("work in flight: none, there is no store")
        return
    print_line()
    for _, group in groupby(sorted(compared.standings, key=_alike), key=_alike):
        _show_group(list(group))
    print_line(f"work in flight: {_summary(compared)}")


def next_of(compared: Against | None, app: Path | None, other: str) -> str:
    """The next command worth typing after a comparison; "" where it leaves nothing open."""
    if compared is None or not any(str(one.verdict) == "unknown" and not one.replayed for one in compared.standings):
        return ""
    return f"parti check {app or ''} --against {other} --replay".replace("  ", " ")


def _alike(one: Standing) -> tuple[object, ...]:
    first = one.concerns[0] if one.concerns else None
    order = ("refuse", "pin the old code", "needs migration", "unknown", "resumes").index(one.verdict)
    return order, one.part, not one.open, *((first.part, first.why, first.fix) if first else ())


def _show_group(group: list[Standing]) -> None:
    one = group[0]
    kind = "open run" if one.open else "ended run"
    print_line(f"{one.verdict}: {counted(len(group), kind)} of `{one.part}`", style="bold")
    if not one.concerns:
        return
    concern = one.concerns[0]
    named = ", ".join(each.run for each in group[:RUNS_NAMED])
    entry = f" (entry {concern.entry})" if concern.entry else ""
    print_line(f"  {concern.place}: {concern.why}{entry}")
    print_line(
        f"  runs: {named}{f' and {len(group) - RUNS_NAMED:,} more' if len(group) > RUNS_NAMED else ''}", style="dim"
    )
    if concern.fix:
        print_line(f"  try: {concern.fix}")


def _summary(compared: Against) -> str:
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in compared.counts.items())
    looked = sum(not one.open for one in compared.standings)
    left = f"; {compared.recorded - looked:,} older ended runs not looked at" if compared.recorded > looked else ""
    return f"{counts or 'none'}{left}"
