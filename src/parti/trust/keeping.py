"""Keeping a value as it is now, so that no later change of it is seen.

A run keeps every value that it reads, and few of them are ever asked about: so this is quick (1 µs for a record of few fields),
and whatever takes longer is left for then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Literal

from parti.design.fields import DEEPEST, fields_of

FIXED: Final = frozenset({str, int, float, bool, type(None)})
"""Types without fields whose values never change: they are kept as they are."""


Form = Literal["record", "mapping", "several", "single"]
Kept = tuple[Any, Form, Any]
"""The type of a value that may change, its form, and what it holds, each kept: the values of its fields in order, its items with
their names, its items; of any other its text. A plain tuple, because it is made for nearly every value."""


def kept(value: Any, depth: int = 0) -> Any:
    """The value where it is of a type in `FIXED`, else a `Kept`."""
    own: Any = type(value)
    if own in FIXED:
        return value
    getter = _getter(own) if depth < DEEPEST else None
    if getter is not None:
        found = getter(value)
        for one in found:
            if type(one) not in FIXED:
                return own, "record", [kept(inner, depth + 1) for inner in found]
        return own, "record", found
    if isinstance(value, Mapping):
        return own, "mapping", [(name, kept(item, depth + 1)) for name, item in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return own, "several", [kept(item, depth) for item in value]
    return own, "single", canonical(value)


@lru_cache(maxsize=1024)
def fields_within(kind: type) -> Mapping[str, Any]:
    """The fields of a type, with their types."""
    return fields_of(kind)


@lru_cache(maxsize=1024)
def is_open(kind: type) -> bool:
    """Whether values of a model may have fields that it does not declare: they are kept after those that it does."""
    config = getattr(kind, "model_config", None)
    return isinstance(config, dict) and config.get("extra") == "allow"


@lru_cache(maxsize=1024)
def _getter(kind: type) -> Callable[[Any], tuple[Any, ...]] | None:
    """Gives the values of all fields; None where the type has none."""
    names = tuple(fields_within(kind))
    if is_open(kind):
        names = (*names, "__pydantic_extra__")
    if not names:
        return None
    if len(names) == 1:
        return lambda value: (getattr(value, names[0], None),)
    several = attrgetter(*names)

    def values(of: Any) -> tuple[Any, ...]:
        try:
            return several(of)
        except AttributeError:  # it was made without all of its fields
            return tuple(getattr(of, name, None) for name in names)

    return values


def canonical(value: Any) -> str:
    """A value as text, so that those are equal that mean the same: 1 and 1.0."""
    own: Any = type(value)
    if own is str:
        return str.strip(value)
    if own is int:
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return canonical(value.value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
