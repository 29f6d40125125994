"""Input as numbered events: one JSON value, a file or stream of JSON lines, or a CSV file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pydantic_core import PydanticSerializationError, to_json

from parti.design.payload import Payload
from parti.errors import PayloadError, UsageError

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One event to be: JSON without line breaks, the number of the line (from 1) on which it begins, what is wrong."""

    number: int
    body: bytes
    wrong: PayloadError | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """Where events come from. `name` stands in messages; `path` and `opened` are set for files. Close it after use."""

    name: str
    lines: Iterable[Line]
    path: Path | None = None
    opened: IO[bytes] | None = None

    def close(self) -> None:
        """Close the file, if it is one."""
        if self.opened:
            self.opened.close()


def read_input(what: str, stream: Iterable[bytes], payload: Payload) -> Input:
    """The events of `what`: ``-`` is the stream, the name of a file its content, and anything else is JSON itself.

    Files are read as they are consumed. Raises P504 for a file that cannot be read.
    """
    if what == "-":
        return Input("stdin", _json_lines(stream))
    if not _is_file_name(what):
        return Input("the argument", [Line(1, _one_line(what.encode()))])
    path = Path(what)
    try:
        opened = path.open("rb")
    except OSError as wrong:
        raise UsageError("P504", f"{what} cannot be read: {wrong.strerror}", fix="name a file, or give JSON") from wrong
    return Input(path.name, _file_lines(opened, path, payload), path, opened)


def _is_file_name(what: str) -> bool:
    """Whether this is meant to be a file rather than JSON."""
    try:
        json.loads(what)
    except ValueError:
        return not what.lstrip().startswith(("{", "[", '"'))
    return False


def _file_lines(opened: IO[bytes], path: Path, payload: Payload) -> Iterator[Line]:
    with opened:
        match path.suffix.lower():
            case ".csv":
                yield from _csv_lines(opened, path.name, payload)
            case ".json":
                yield Line(1, _one_line(opened.read()))
            case _:
                yield from _json_lines(opened)


def _json_lines(stream: Iterable[bytes]) -> Iterator[Line]:
    for number, line in enumerate(stream, 1):
        text = line.removeprefix(_BOM).strip()
        if text:
            yield Line(number, text)


def _one_line(body: bytes) -> bytes:
    """The same JSON value: line breaks are never part of a string there."""
    return body.removeprefix(_BOM).strip().replace(b"\r", b" ").replace(b"\n", b" ")


def _csv_lines(opened: Iterable[bytes], name: str, payload: Payload) -> Iterator[Line]:
    """Headers are fields (``address.zip`` reaches into one). An empty cell is left out, unless its field is a text."""
    texts = _text_fields(payload.schema)
    # What is not UTF-8 stays in the cell, and becomes an error of its own line.
    reader = csv.reader((line.decode("utf-8", "surrogateescape") for line in opened), strict=True)
    headers: list[str] = []
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
            if not headers:
                headers = [header.strip().removeprefix("\ufeff") for header in cells]
            elif cells:
                yield Line(number, _row(headers, cells, texts))
        except StopIteration:
            return
        except (csv.Error, ValueError, PydanticSerializationError) as wrong:
            yield Line(number, b"", bad_line(name, number, f"this is not CSV: {wrong}"))


def bad_line(name: str, number: int, what: str) -> PayloadError:
    """P405 for a line that cannot be read at all."""
    return PayloadError("P405", what, place=f"{name}:{number}")


def _row(headers: list[str], cells: list[str], texts: set[str]) -> bytes:
    if len(cells) != len(headers):
        raise ValueError(f"it has {len(cells)} cells, and there are {len(headers)} headers")
    event: dict[str, Any] = {}
    for header, cell in zip(headers, cells, strict=True):
        if cell or header in texts:
            *outer, last = header.split(".")
            inner = event
            for step in outer:
                inner = inner.setdefault(step, {})
            inner[last] = cell
    return to_json(event)


def _text_fields(schema: Mapping[str, Any]) -> set[str]:
    """Fields that are texts, and nothing else: an empty cell is an empty text there."""
    while "$ref" in schema:
        schema = {**schema["$defs"][schema["$ref"].rsplit("/", 1)[1]], "$defs": schema["$defs"]}
    return {name for name, field in schema.get("properties", {}).items() if field.get("type") == "string"}
