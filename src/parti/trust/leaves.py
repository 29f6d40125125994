"""The leaves of a value: its single texts, numbers and flags, each with its path and its nominal type."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, Final, get_args, get_origin

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
    if type(value) in _PLAIN:  # most values; what follows takes longer to tell them
        yield Leaf(path, canonical(value), nominal(inner), many)
        return
    own: Any = type(value)
    fields = _fields(own)
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


_PLAIN: Final = frozenset({str, int, float, bool})


@lru_cache(maxsize=1024)
def _fields(kind: type) -> Mapping[str, Any]:
    return fields_of(kind)


@lru_cache(maxsize=1024)
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
    inner, arms = _arms(kind)
    if not arms:
        return inner
    return _arm(next((arm for arm in arms if _base(arm) is type(value)), arms[0]), value)


@lru_cache(maxsize=1024)
def _arms(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type without its notes, and the arms of a union but for None."""
    while get_origin(kind) is typing.Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (typing.Union, UnionType):
        return kind, tuple(arm for arm in get_args(kind) if arm is not type(None))
    return kind, ()


def _base(kind: Any) -> Any:
    while isinstance(kind, typing.NewType) or get_origin(kind) is typing.Annotated:
        kind = kind.__supertype__ if isinstance(kind, typing.NewType) else get_args(kind)[0]
    return get_origin(kind) or kind
