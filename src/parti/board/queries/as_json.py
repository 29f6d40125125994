"""Read models as JSON: one encoder for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from math import isfinite
from typing import Any


def as_json(value: Any) -> Any:
    """A frozen dataclass, with all in it, as values that JSON has; numbers that are none become null.

    Raises TypeError for what has no place in a read model.
    """
    match value:
        case Enum():
            return as_json(value.value)
        case float():
            return value if isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case Mapping():
            return {str(name): as_json(item) for name, item in value.items()}
        case tuple() if hasattr(value, "_fields"):
            return {name: as_json(getattr(value, name)) for name in value._fields}
        case tuple() | list() | set() | frozenset():
            return [as_json(item) for item in value]
        case _ if is_dataclass(value):
            return {one.name: as_json(getattr(value, one.name)) for one in fields(value)}
    raise TypeError(f"a {type(value).__name__} has no place in a read model")
