"""Files of inputs for an audit: JSON values, one a line, for parts by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from parti.errors import PayloadError, UsageError
from parti.mlops.evaluation.cases import plain_payload
from parti.verbs.lines import read_input


def values_in(files: Mapping[str, str]) -> dict[str, list[Any]]:
    """The values of each file, by the part's name. Raises P504 for one that cannot be read or is empty, P405 for a bad line."""
    return {name: _values(name, file) for name, file in files.items()}


def _values(name: str, file: str) -> list[Any]:
    source, found = read_input(file, (), plain_payload(Any)), []
    try:
        for line in source.lines:
            place = f"{source.name}:{line.number}"
            if line.wrong is not None:
                line.wrong.place = place
                raise line.wrong
            try:
                found.append(from_json(line.body))
            except ValueError as wrong:
                what = f"this is not JSON: {wrong}"
                raise PayloadError("P405", what, place=place, fix="write a value a line") from wrong
    finally:
        source.close()
    if not found:
        raise UsageError("P504", f"{source.name} holds nothing for `{name}`", fix="write a value a line, in JSON")
    return found
