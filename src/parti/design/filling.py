"""Filling: the values of variables put in where a template names them, and nothing else that hangs on them.

A template may be written by a model, and `str.format` follows any attribute: ``{order.total.__globals__[KEY]}`` is a way to
everything the process knows, and ``{tone:>3000000000}`` one to all its memory. Here a path goes through data alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from string import Formatter
from typing import Any, Final

from pydantic import BaseModel

WIDTH_MAX: Final = 1_000
"""The largest number in a format: a width in characters, or digits after the point."""

LENGTH_MAX: Final = 10_000_000
"""Characters of a template that is filled in. More than any model reads."""

_PATH: Final = re.compile(r"([^.\[\]]*)((?:\.[^.\[\]]+|\[[^\[\]]+\])*)")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([^\[\]]+)\]")


def fill(text: str, values: Mapping[str, Any]) -> str:
    """`text` with `values` put in. Raises ValueError, LookupError, TypeError, AttributeError, or MemoryError for what cannot be."""
    filled = _Filling().vformat(text, (), values)
    if len(filled) > LENGTH_MAX:
        raise ValueError(f"the text would have {len(filled):,} characters, and may have {LENGTH_MAX:,}")
    return filled


def fields_of(text: str) -> Iterator[tuple[str, str, str]]:
    """Each replacement field of a template: its path, its conversion ("" for none) and its format. Raises ValueError."""
    for _, path, spec, conversion in Formatter().parse(text):
        if path is not None:
            yield path, conversion or "", spec or ""


def refuse_field(path: str, spec: str) -> None:
    """Raise ValueError for a path or a format that is never filled in, whatever the values are."""
    _steps(path)
    _refuse_format(spec)
    for inner, _, further in fields_of(spec):
        refuse_field(inner, further)


class _Filling(Formatter):
    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        first, steps = _steps(field_name)
        value = self.get_value(first, args, kwargs)
        for name, key in steps:
            value = _field(value, name) if name else _item(value, key)
        return value, first

    def format_field(self, value: Any, format_spec: str) -> str:
        _refuse_format(format_spec)
        return str(super().format_field(value, format_spec))


def _steps(path: str) -> tuple[str, list[tuple[str, str]]]:
    """The variable of a path, and each step from there: the name of a field, or the key of an item."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise ValueError(f"{{{path}}} is no path: write {{order.total}} or {{order[total]}}")
    steps = [(name, key) for name, key in _STEP.findall(match[2])]
    for name in (match[1], *(name or key for name, key in steps)):
        if name.startswith("_"):
            raise ValueError(f"{name!r} of {{{path}}} begins with _, and is not for a prompt")
    return match[1], steps


def _field(value: Any, name: str) -> Any:
    """A declared field of a Pydantic model or a dataclass; no method, property or attribute besides."""
    kind = type(value)
    if isinstance(value, BaseModel):
        known = set(kind.model_fields)
    else:
        known = {one.name for one in fields(kind)} if is_dataclass(kind) else set()
    if name not in known:
        raise AttributeError(f"a {kind.__name__} has no field {name!r}")
    return getattr(value, name)


def _item(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return value[int(key) if key.isdecimal() and key not in value else key]
    if isinstance(value, list | tuple) and key.isdecimal():
        return value[int(key)]
    raise LookupError(f"a {type(value).__name__} has no item {key!r}")


def _refuse_format(spec: str) -> None:
    """Any number in it counts, whatever type reads the format."""
    for number in re.findall(r"\d+", spec):
        if len(number) > len(str(WIDTH_MAX)) or int(number) > WIDTH_MAX:
            raise ValueError(f"the format {spec[:40]!r} is wider than {WIDTH_MAX:,} characters")
