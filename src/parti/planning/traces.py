"""Traces of arrivals out of files: CSV or JSON lines of timestamps, with tokens where a file has them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from parti.errors import UsageError
from parti.sim.distributions import Empirical
from parti.sim.load import Trace
from parti.units import Seconds

TIMES: Final = ("timestamp", "time", "at", "ts", "arrived", "arrival", "arrived_at", "created", "datetime", "date")
"""Names of the column that holds the time, in whatever case; without any of them it is the first one."""

PROMPTS: Final = ("contexttokens", "prompt_tokens", "input_tokens", "tokens_in", "num_prefill_tokens")
OUTPUTS: Final = ("generatedtokens", "completion_tokens", "output_tokens", "tokens_out", "num_decode_tokens")
"""Names of columns that hold tokens of a request."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A trace out of a file, and the tokens of its requests where it tells them."""

    trace: Trace
    prompt: Empirical | None
    output: Empirical | None


def trace_of(times: Sequence[Seconds], faster: float = 1.0, span: Seconds | None = None) -> Trace:
    """Times from 0 or later as a trace that was recorded for `span` (None: as long as its mean gap says); ascending."""
    return Trace(tuple(times), faster, span)


def read_trace(path: Path) -> Traced:
    """The timestamps of a file, a line each: ISO dates or seconds, in a CSV file (with or without headers) or as JSON lines.

    Raises P825 for a file or line that cannot be read, P827 for a time before the one above it, P828 with fewer than two.
    """
    rows = list(_rows(path))
    times: list[Seconds] = []
    for number, row in rows:
        time = _time(_field(row, TIMES, first=True), path.name, number)
        if times and time < times[-1]:
            raise UsageError(
                "P827", f"the time {time:.6f} comes before the one above it, {times[-1]:.6f}", place=f"{path.name}:{number}",
                fix="sort the file by time",
            )  # fmt: skip
        times.append(time)
    if len(times) < 2 or times[0] == times[-1]:
        raise UsageError(
            "P828", f"{path.name} holds no two arrivals at different times", fix="a rate needs more of them"
        )
    tokens = [_tokens(rows, names, path.name) for names in (PROMPTS, OUTPUTS)]
    return Traced(trace_of([time - times[0] for time in times]), *tokens)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The lines as fields by lower-case name, each with its number."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        said = wrong.strerror if isinstance(wrong, OSError) else "it is no text in UTF-8"
        raise UsageError("P825", f"{path} cannot be read: {said}", fix="name a file of timestamps") from wrong
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        yield from _json_rows(text, path.name)
    else:
        yield from _csv_rows(text)


def _json_rows(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as wrong:
            raise _unread(name, number, f"this is not JSON: {wrong}") from wrong
        if isinstance(value, list):
            yield from ((number, {"time": one}) for one in value)
        elif isinstance(value, dict):
            yield number, {key.lower(): one for key, one in value.items()}
        else:
            yield number, {"time": value}


def _csv_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Without headers, whose first cell is no time, columns are named by their number."""
    headers: list[str] = []
    reader = csv.reader(text.splitlines())
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if not headers:
            if _seconds(cells[0]) is None:
                headers = [cell.strip().lower() for cell in cells]
                continue
            headers = [str(at) for at in range(len(cells))]
        yield reader.line_num, dict(zip(headers, cells, strict=False))


def _field(row: Mapping[str, Any], names: Sequence[str], *, first: bool = False) -> Any:
    for name in names:
        if name in row:
            return row[name]
    return next(iter(row.values()), None) if first else None


def _time(value: Any, name: str, number: int) -> Seconds:
    found = _seconds(value)
    if found is None:
        raise _unread(name, number, f"{value!r} is no time")
    return found


def _seconds(value: Any) -> Seconds | None:
    """Seconds from a number or an ISO date (UTC unless it says otherwise); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        pass
    else:
        return found if abs(found) < float("inf") else None
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _tokens(rows: Sequence[tuple[int, Mapping[str, Any]]], names: Sequence[str], name: str) -> Empirical | None:
    found: list[float] = []
    for number, row in rows:
        value = _field(row, names)
        if value is None or value == "":
            continue
        try:
            count = float(value)
        except (TypeError, ValueError):
            count = -1.0
        if not 0 <= count < float("inf"):
            raise _unread(name, number, f"{value!r} is no number of tokens")
        found.append(count)
    return Empirical.of(found) if found else None


def _unread(name: str, number: int, what: str) -> UsageError:
    return UsageError(
        "P825", what, place=f"{name}:{number}", fix="write ISO dates or seconds, a line each, in CSV or JSON lines"
    )
