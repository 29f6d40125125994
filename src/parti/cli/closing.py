"""The closing table of `parti up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parti.cli.output import lasting, print_line, print_table
from parti.units import size_text

if TYPE_CHECKING:
    from parti.verbs.closing import Closing, RunnerFacts


def print_closing(closing: Closing) -> None:
    """How each runner did, what the monitors say, and how much was written."""
    if closing.runners:
        headers = ("runner", "done", "waiting for a person", "failed", "per second", "p50", "p99", "done in all")
        print_line()
        print_table(headers, map(_row, closing.runners), numbers=range(1, 8))
    for failure in closing.failures:
        print_line()
        print_line(f"{failure.runner} failed  {failure.place}: {failure.code} {failure.error}")
        if failure.fix:
            print_line(f"  try: {failure.fix}")
    for title, figures in closing.monitors.items():
        print_line()
        print_line(title, "bold")
        for name, value in figures.items():
            print_line(f"  {name}  {value:,.4g}" if isinstance(value, int | float) else f"  {name}  {value}")
    print_line()
    print_line(f"journal {size_text(closing.journal)} in {closing.store}")


def _row(one: RunnerFacts) -> tuple[str, ...]:
    times = (lasting(one.p50), lasting(one.p99)) if one.done + one.failed else ("", "")
    rate = f"{one.per_second:,.0f}" if one.per_second >= 10 else f"{one.per_second:.2g}" if one.per_second else ""
    return one.runner, f"{one.done:,}", f"{one.waiting:,}", f"{one.failed:,}", rate, *times, f"{one.stored:,}"
