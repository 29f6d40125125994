"""The fields of a type, through optionals, lists and nested models: what each holds, and which labels it carries."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence, Set
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final, get_args, get_origin
from uuid import UUID

from parti.design.bounded_text import is_bounded_text
from parti.design.features import field_types
from parti.design.labels import Label, Labelled, Purpose, Region, Tag

DEEPEST: Final = 4
"""How many names a path has at most; what lies deeper counts as the field above it."""

_BOUNDED: Final = (
    bool, int, float, Decimal, type(None), Enum, UUID, date, time, timedelta, IPv4Address, IPv6Address, IPv4Network, IPv6Network,
)  # fmt: skip
"""Types whose values say nothing that their type does not foresee."""

_MADE_OF: Final = (
    typing.Union, types.UnionType, list, tuple, set, frozenset, dict, Iterable, Mapping, MutableMapping, Sequence, Set,
)  # fmt: skip
"""What holds nothing but what its type names."""


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
    found = set(records_in(kind))
    return found.pop() if len(found) == 1 else None


def records_in(kind: Any) -> tuple[type, ...]:
    """All types with fields behind `kind`, through optionals, unions and collections."""
    return tuple(dict.fromkeys(_records(kind, 0)))


def is_within(path: str, whole: str) -> bool:
    """Whether a path is that of the whole, or of something in it."""
    return not whole or path == whole or path.startswith(f"{whole}.")


def _records(kind: Any, depth: int) -> Iterator[type]:
    if isinstance(kind, type) and fields_of(kind):
        yield kind
    elif depth < DEEPEST:
        for inner in items_of(kind):
            yield from _records(inner, depth + 1)


def free_texts(kind: Any) -> tuple[str, ...]:
    """The paths at which a type may hold text without bound, which can say anything: all that is not known to be bounded.

    Enums, literals, numbers, flags, times, addresses of machines and UUIDs are bounded, and so is text with a pattern that
    admits no blanks and a length (`bounded_text`); a NewType is what it is made of. What lies deeper than `DEEPEST` is not.
    """
    return tuple(dict.fromkeys(_free(kind, (), "", 0)))


def _free(kind: Any, notes: tuple[Any, ...], path: str, depth: int) -> Iterator[str]:
    while isinstance(kind, typing.NewType) or get_origin(kind) is typing.Annotated:
        if isinstance(kind, typing.NewType):
            kind = kind.__supertype__
        else:
            kind, *more = get_args(kind)
            notes = (*notes, *more)
    if isinstance(kind, type) and issubclass(kind, _BOUNDED):
        return
    if kind is None or get_origin(kind) is typing.Literal or (kind is str and is_bounded_text(notes)):
        return
    known, inner = _known_fields(kind), items_of(kind)
    if depth > DEEPEST or not (known or (inner and get_origin(kind) in _MADE_OF)) or _takes_more(kind):
        yield path
        return
    for one in inner:
        yield from _free(one, (), path, depth)
    for name, (field, marks) in known.items():
        yield from _free(field, marks, f"{path}.{name}" if path else name, depth + 1)


def _known_fields(kind: Any) -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """The fields of a record with what notes bound them."""
    if isinstance(kind, type) and hasattr(kind, "model_fields"):
        return {name: (field.annotation, tuple(field.metadata)) for name, field in kind.model_fields.items()}
    found: Mapping[str, Any] = fields_of(kind)
    if not found and (typing.is_typeddict(kind) or (isinstance(kind, type) and hasattr(kind, "_fields"))):
        try:
            found = typing.get_type_hints(kind, include_extras=True)
        except NameError:
            return {}
    return {name: (field, ()) for name, field in found.items()}


def _takes_more(kind: Any) -> bool:
    """Whether a record takes fields that it does not name."""
    return bool(getattr(kind, "model_config", {}).get("extra") == "allow") if isinstance(kind, type) else False


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
