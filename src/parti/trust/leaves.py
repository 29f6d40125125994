"""The leaves of a value: its single texts, numbers and flags, each with its path and its nominal type."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Any, get_args, get_origin

from parti.design.fields import DEEPEST, fields_of


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value without fields. `nominal` is the name of its NewType ("" for a plain type); `many` that it is one of several."""

    path: str
    text: str
    nominal: str = ""
    many: bool = False


def leaves(kind: Any, value: Any, path: str = "", *, many: bool = False, depth: int = 0) -> Iterator[Leaf]:
    """The leaves of `value`, whose declared type is `kind`. Items of a list have the list's path; None has none."""
    if value is None:
        return
    inner = _arm(kind, value)
    fields = fields_of(type(value))
    if fields and depth < DEEPEST:
        for name, field in fields.items():
            deeper = f"{path}.{name}" if path else name
            yield from leaves(field, getattr(value, name, None), deeper, many=many, depth=depth + 1)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(Any, item, f"{path}.{name}" if path else str(name), many=many, depth=depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        of = next(iter(get_args(inner)), Any)
        for item in value:
            yield from leaves(of, item, path, many=True, depth=depth)
    else:
        yield Leaf(path, canonical(value), nominal(inner), many)


def nominal(kind: Any) -> str:
    """The name of a NewType, with its module; "" for any other type."""
    return f"{kind.__module__}.{kind.__name__}" if isinstance(kind, typing.NewType) else ""


def canonical(value: Any) -> str:
    """A value as text, so that those are equal that mean the same: 1 and 1.0."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return canonical(value.value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _arm(kind: Any, value: Any) -> Any:
    """The type without its notes; of a union, the arm that the value is of."""
    while get_origin(kind) is typing.Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (typing.Union, UnionType):
        arms = [arm for arm in get_args(kind) if arm is not type(None)]
        return _arm(next((arm for arm in arms if _base(arm) is type(value)), arms[0]), value)
    return kind


def _base(kind: Any) -> Any:
    while isinstance(kind, typing.NewType) or get_origin(kind) is typing.Annotated:
        kind = kind.__supertype__ if isinstance(kind, typing.NewType) else get_args(kind)[0]
    return get_origin(kind) or kind
