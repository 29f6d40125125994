"""The fields of a type, through optionals, lists and nested models: what each holds, and which labels it carries."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, get_args, get_origin

from parti.design.features import field_types
from parti.design.labels import Label, Labelled, Purpose, Region, Tag

DEEPEST: Final = 4
"""How many names a path has at most; what lies deeper counts as the field above it."""

_BOUNDED: Final = (bool, int, float, type(None))


def labels_of(kind: Any) -> Labelled:
    """Every label that a type declares, by the path of the field that carries it; items of a list have the list's path."""
    return tuple(dict.fromkeys(_labels(kind, "", 0)))


def _labels(kind: Any, path: str, depth: int) -> Iterator[tuple[str, Tag]]:
    if get_origin(kind) is typing.Annotated:
        inner, *notes = get_args(kind)
        yield from ((path, note) for note in notes if isinstance(note, Label | Region | Purpose))
        yield from _labels(inner, path, depth)
        return
    for inner in items_of(kind):
        yield from _labels(inner, path, depth)
    if depth >= DEEPEST:
        return
    for name, field in fields_of(kind).items():
        deeper = f"{path}.{name}" if path else name
        yield from _labels(field, deeper, depth + 1)


def fields_of(kind: Any) -> Mapping[str, Any]:
    """The fields of a Pydantic model or dataclass with their types, labels included; none for other types."""
    if not isinstance(kind, type):
        return {}
    if hasattr(kind, "model_fields"):
        found = kind.model_fields.items()
        return {name: _noted(field.annotation, field.metadata) for name, field in found}
    if not hasattr(kind, "__dataclass_fields__"):
        return {}
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except NameError:
        hints = field_types(kind)
    return {name: hints[name] for name in kind.__dataclass_fields__ if name in hints}


def _noted(kind: Any, notes: Iterable[Any]) -> Any:
    for note in notes:
        if isinstance(note, Label | Region | Purpose):
            kind = typing.Annotated[kind, note]
    return kind


def items_of(kind: Any) -> tuple[Any, ...]:
    """What a union, list, dict or other generic type is made of; () for a plain one."""
    if get_origin(kind) is typing.Annotated:
        return (get_args(kind)[0],)
    if get_origin(kind) in (None, typing.Literal):
        return ()
    return tuple(item for item in get_args(kind) if item is not Ellipsis)


def record_in(kind: Any) -> type | None:
    """The one type with fields behind `kind`: itself, or that of an optional or list of it; None where there is no one."""
    found = {record for record in _records(kind, 0)}
    return found.pop() if len(found) == 1 else None


def _records(kind: Any, depth: int) -> Iterator[type]:
    if isinstance(kind, type) and fields_of(kind):
        yield kind
    elif depth < DEEPEST:
        for inner in items_of(kind):
            yield from _records(inner, depth + 1)


def free_texts(kind: Any) -> tuple[str, ...]:
    """The paths at which a type holds text without bound: a plain `str`, which can say anything.

    Enums, literals, numbers, flags, times and nominal ids (a NewType, a UUID) are bounded.
    """
    return tuple(dict.fromkeys(_free(kind, "", 0)))


def _free(kind: Any, path: str, depth: int) -> Iterator[str]:
    if kind in (str, bytes, Any, object, dict, list):
        yield path
        return
    if isinstance(kind, type) and (issubclass(kind, Enum) or kind in _BOUNDED):
        return
    for inner in items_of(kind):
        yield from _free(inner, path, depth)
    if depth < DEEPEST:
        for name, field in fields_of(kind).items():
            yield from _free(field, f"{path}.{name}" if path else name, depth + 1)


def values_max(kind: Any) -> int | None:
    """How many values a type has at most (a bool, an Enum, a Literal, a union of such); None where there is no bound."""
    if kind is bool:
        return 2
    if kind is type(None):
        return 1
    if isinstance(kind, type) and issubclass(kind, Enum):
        return len(kind)
    if get_origin(kind) is typing.Literal:
        return len(get_args(kind))
    if get_origin(kind) in (typing.Union, types.UnionType, typing.Annotated):
        counts = [values_max(inner) for inner in items_of(kind)]
        return None if None in counts else sum(count for count in counts if count is not None)
    return None
