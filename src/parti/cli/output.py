"""What commands print: tables and JSON on stdout, progress and the next command on stderr."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typer
from pydantic_core import from_json
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parti.units import Seconds, duration_text

WIDE: Final = 1000
"""Columns where no terminal bounds them, so that a pipe gets whole values."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def console() -> Console:
    """Stdout. NO_COLOR is respected."""
    return Console(
        file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False, emoji=False
    )


def error_console() -> Console:
    """Stderr. NO_COLOR is respected."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def safe(text: str) -> str:
    """The text without what could steer a terminal: values are written by strangers."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def print_json(value: Any) -> None:
    """`value` as JSON on stdout; see `plain`."""
    typer.echo(json.dumps(plain(value), indent=2))


def print_json_line(value: Any) -> None:
    """`value` as one line of JSON on stdout, at once."""
    typer.echo(json.dumps(plain(value)))
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """Records as JSON values: named fields become objects, bytes are the JSON they hold."""
    match value:
        case bytes():
            return from_json(value) if value else None
        case Path():
            return str(value)
        case str() | int() | float() | None:
            return value
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return {name: plain(item) for name, item in value._asdict().items()}
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "as_json"):
        return value.as_json()
    return [plain(item) for item in value]


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> None:
    """A table on stdout; the columns `numbers` are set flush right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    right = set(numbers)
    for at, header in enumerate(headers):
        table.add_column(header, justify="right" if at in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(safe(cell)) for cell in row))
    console().print(table)


def print_line(text: str = "", style: str = "") -> None:
    """A line on stdout, never broken."""
    console().print(safe(text), style=style, soft_wrap=True)


def say(text: str) -> None:
    """A line of progress on stderr."""
    error_console().print(safe(text), soft_wrap=True)


def say_next(command: str) -> None:
    """The next command worth typing."""
    error_console().print(f"next: {safe(command)}", style="dim", soft_wrap=True)


def moment(at: Seconds) -> str:
    """A moment for people, in the local time zone; "" for 0."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""


def lasting(duration: Seconds) -> str:
    """A duration for people; zero is 0."""
    return duration_text(duration) if duration >= 0.000005 else "0ms"


def counted(count: int, noun: str) -> str:
    """``1 event``, ``2 events``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def compact(value: Any, width: int = 60) -> str:
    """A JSON value on one line, cut to `width` characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= width else text[: width - 1] + "…"
