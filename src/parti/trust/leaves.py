"""The leaves of a value: its single texts, numbers and flags, each with its path and its nominal type."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING
from functools import lru_cache
from itertools import repeat
from types import UnionType
from typing import Any, Final, NamedTuple, get_args, get_origin

from parti.design.labelling import at_path
from parti.design.labels import Labelled, Tags
from parti.trust.entropy import SHORTEST
from parti.trust.keeping import canonical, fields_within, is_open, kept

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
    typed: str | None = None
    """The path as types have it, where that differs: without the keys of dicts, and that of a whole record for what it does not declare."""
    is_key: bool = False
    """Whether it is a key of a dict, which has the dict's path."""

    def tags(self, labelled: Labelled) -> Tags:
        """The labels that a value has there."""
        found = at_path(labelled, self.path)
        return found if self.typed is None else found | at_path(labelled, self.typed)

    def below(self, name: str) -> Leaf:
        """The same, as a part of what has the name."""
        typed = None if self.typed is None else _below(name, self.typed)
        return Leaf(_below(name, self.path), self.text, self.nominal, self.many, typed, self.is_key)


def leaves(kind: Any, value: Any) -> list[Leaf]:
    """The leaves of `value`, whose declared type is `kind`. Items of a list have the list's path; None has none."""
    return leaves_of_kept(kind, kept(value))


def leaves_of_kept(kind: Any, value: Any) -> list[Leaf]:
    """The leaves of a value that was kept."""
    found: list[Leaf] = []
    _gather(found, kind, value, "", None, False)
    return found


def _gather(found: list[Leaf], kind: Any, value: Any, path: str, typed: str | None, many: bool) -> None:
    if value is None:
        return
    if type(value) is not tuple:
        own: Any = type(value)
        found.append(Leaf(path, canonical(value), _nominal_of(kind, own), many, typed))
        return
    own, form, inside = value
    match form:
        case "record":
            for (name, field, known), inner in zip(_fields(own), inside, strict=True):
                there: str | None
                if name is None:
                    deeper, there = path, path if typed is None else typed
                else:
                    deeper, there = _below(path, name), None if typed is None else _below(typed, name)
                if known is None or inner is None or type(inner) is tuple:
                    _gather(found, field, inner, deeper, there, many)
                else:
                    found.append(Leaf(deeper, canonical(inner), known, many, there))
        case "mapping":
            _gather_items(found, kind, value, path, typed, many)
        case "several":
            for of, item in zip(_kinds_within(kind, own, len(inside)), inside, strict=True):
                _gather(found, of, item, path, typed, True)
        case _:
            found.append(Leaf(path, inside, _nominal_of(kind, own), many, typed))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _gather_items(found: list[Leaf], kind: Any, value: Any, path: str, typed: str | None, many: bool) -> None:
    """The keys of a dict are values, too, but for those that its type declares; one of several items of one type is a choice."""
    own, _, inside = value
    at = path if typed is None else typed
    declared = _declared(kind)
    key_kind, item_kind = _kinds_of_items(kind, own)
    several = many or (item_kind is not Any and len(inside) > 1)
    for name, item in inside:
        deeper = _below(path, str(name))
        if name in declared:
            _gather(found, declared[name], item, deeper, None if typed is None else _below(typed, str(name)), many)
            continue
        key: Any = type(name)
        found.append(Leaf(path, canonical(name), _nominal_of(key_kind, key), True, at, is_key=True))
        _gather(found, item_kind, item, deeper, at, several)


@lru_cache(maxsize=1024)
def _declared(kind: Any) -> Mapping[str, Any]:
    """The keys that the type of a dict declares, each with the type of its value."""
    plain = _base(kind)
    return typing.get_type_hints(plain, include_extras=True) if hasattr(plain, "__required_keys__") else {}


def _kinds_of_items(kind: Any, own: type) -> tuple[Any, Any]:
    match _arguments(kind, own):
        case (key, item):
            return key, Any if item is object else item
    return Any, Any


def _kinds_within(kind: Any, own: type, count: int) -> Iterable[Any]:
    """The type of each item of a list, tuple or set."""
    if hasattr(own, "_fields"):  # a named tuple
        hints = typing.get_type_hints(own)
        return [hints.get(name, Any) for name in own._fields]
    of = _arguments(kind, own)
    if own is tuple and len(of) == count and Ellipsis not in of:
        return of
    return repeat(next(iter(of), Any), count)


@lru_cache(maxsize=1024)
def _arguments(kind: Any, own: type) -> tuple[Any, ...]:
    """What a generic type is made of, through its notes, NewTypes and unions."""
    arm = _arm(kind, own)
    while isinstance(arm, typing.NewType):
        arm = _arm(arm.__supertype__, own)
    return get_args(arm)


def is_left_out(value: Any, names: Sequence[str]) -> bool:
    """Whether there is nothing at the end of a path into a value, through lists and dicts, though nobody declared it so.

    Nothing is None, and what holds nothing; a field that is as its record declares it was left out by the program. To leave
    something out is a choice, too: no recipient may stand for all of them.
    """
    if isinstance(value, Mapping) and not names:
        return not value
    if isinstance(value, Mapping) and names[0] not in value:
        return not value or any(is_left_out(item, names) for item in value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return not value or any(is_left_out(item, names) for item in value)
    if value is None or not names:
        return value is None
    first, *rest = names
    inner = value[first] if isinstance(value, Mapping) else getattr(value, first, None)
    return is_left_out(inner, rest) and not _is_default(value, first, inner)


def _is_default(record: Any, name: str, value: Any) -> bool:
    """Whether a field is as its record declares that it is when nobody says it."""
    own = type(record)
    field = getattr(own, "model_fields", {}).get(name)
    if field is not None:
        return not field.is_required() and bool(value == field.get_default(call_default_factory=True))
    declared = getattr(own, "__dataclass_fields__", {}).get(name)
    if declared is None:
        return False
    made = declared.default_factory() if declared.default_factory is not MISSING else declared.default
    return made is not MISSING and bool(value == made)


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
def _fields(own: type) -> tuple[tuple[str | None, Any, str | None], ...]:
    """The name of each field of a record, its type, and the name of its NewType where that does not depend on the value.

    What it holds besides, undeclared, has no name.
    """
    declared = tuple(
        (name, field, None if _arms(field)[1] else nominal(_arms(field)[0]))
        for name, field in fields_within(own).items()
    )
    return (*declared, (None, Any, None)) if is_open(own) else declared


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
