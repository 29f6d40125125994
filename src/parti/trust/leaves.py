"""The leaves of a value: its single texts, numbers and flags, each with its path and its nominal type."""

from __future__ import annotations

import typing
from functools import lru_cache
from types import UnionType
from typing import Any, Final, NamedTuple, get_args, get_origin

from parti.trust.entropy import SHORTEST
from parti.trust.keeping import canonical, fields_within, kept

LARGEST: Final = 10 ** (SHORTEST - 2)
"""Whole numbers below it are shorter than `SHORTEST`, with their sign."""


class Leaf(NamedTuple):
    """One value without fields. `nominal` is the name of its NewType ("" for a plain type); `many` that it is one of several.

    A tuple, because it is made for each field of what is read, and a frozen dataclass takes four times as long.
    """

    path: str
    text: str
    nominal: str = ""
    many: bool = False


def leaves(kind: Any, value: Any) -> list[Leaf]:
    """The leaves of `value`, whose declared type is `kind`. Items of a list have the list's path; None has none."""
    return leaves_of_kept(kind, kept(value))


def leaves_of_kept(kind: Any, value: Any) -> list[Leaf]:
    """The leaves of a value that was kept."""
    found: list[Leaf] = []
    _gather(found, kind, value, "", False)
    return found


def _gather(found: list[Leaf], kind: Any, value: Any, path: str, many: bool) -> None:
    if value is None:
        return
    if type(value) is not tuple:
        own: Any = type(value)
        found.append(Leaf(path, canonical(value), _nominal_of(kind, own), many))
        return
    own, form, inside = value
    match form:
        case "record":
            for (name, field, known), inner in zip(_fields(own), inside, strict=True):
                deeper = f"{path}.{name}" if path else name
                if known is None or inner is None or type(inner) is tuple:
                    _gather(found, field, inner, deeper, many)
                else:
                    found.append(Leaf(deeper, canonical(inner), known, many))
        case "mapping":
            for name, item in inside:
                _gather(found, Any, item, f"{path}.{name}" if path else str(name), many)
        case "several":
            of = next(iter(get_args(_arm(kind, own))), Any)
            for item in inside:
                _gather(found, of, item, path, True)
        case _:
            found.append(Leaf(path, inside, _nominal_of(kind, own), many))


def is_accidental(kind: Any, value: Any) -> bool:
    """Whether a leaf of a kept value certainly tells nothing: a short text or number that is no nominal id. Quick, and may say no."""
    if type(value) is not tuple:
        plain: Any = type(value)
        return _is_short(value) and not _nominal_of(kind, plain)
    own, form, inside = value
    if form != "record":
        return False
    fields = zip(_fields(own), inside, strict=True)
    return any(known == "" and _is_short(inner) for (_, _, known), inner in fields)


def _is_short(value: Any) -> bool:
    own = type(value)
    if own is str:
        return len(value) < SHORTEST
    return own is bool or (own is int and -LARGEST < value < LARGEST)


@lru_cache(maxsize=1024)
def _fields(own: type) -> tuple[tuple[str, Any, str | None], ...]:
    """The name of each field of a record, its type, and the name of its NewType where that does not depend on the value."""
    return tuple(
        (name, field, None if _arms(field)[1] else nominal(_arms(field)[0]))
        for name, field in fields_within(own).items()
    )


@lru_cache(maxsize=4096)
def _nominal_of(kind: Any, own: type) -> str:
    """The name of the NewType that a value of the type `own` is, where `kind` is declared."""
    return nominal(_arm(kind, own))


def nominal(kind: Any) -> str:
    """The name of a NewType, with its module; "" for any other type."""
    return f"{kind.__module__}.{kind.__name__}" if isinstance(kind, typing.NewType) else ""


def _arm(kind: Any, own: type) -> Any:
    """The type without its notes; of a union, the arm that a value of the type `own` is of."""
    inner, arms = _arms(kind)
    if not arms:
        return inner
    return _arm(next((arm for arm in arms if _base(arm) is own), arms[0]), own)


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
