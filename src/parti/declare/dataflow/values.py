"""Values as they are known without running the program: where they come from, field by field, and of which type they are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from parti.declare.handles import PartHandle
from parti.design.dataflow import Manner, Slot
from parti.design.fields import DEEPEST, fields_of, record_in

if TYPE_CHECKING:
    from parti.declare.dataflow.frame import Frame

UNKNOWN: Final = object()
"""Stands for an object that cannot be told."""

LARGEST: Final = 300

_STRENGTH: Final[tuple[Manner, ...]] = ("value", "choice", "condition")


@dataclass(frozen=True, slots=True)
class Origin:
    """A value comes from `slot`. `exact` says that it is what lies there, fields and all; else it was computed from it.

    `unseen` is that of a Flow.
    """

    slot: Slot
    manner: Manner = "value"
    exact: bool = True
    unseen: bool = False


Origins = frozenset[Origin]


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """`thing` is the very object, where it is known. `fields` are those of a record that the program makes, `items` those of
    a list or tuple; `kind` is the type, as far as types tell. `all` is where all of it comes from. One of more than
    `LARGEST` values is mixed."""

    thing: Any = UNKNOWN
    origins: Origins = frozenset()
    fields: Mapping[str, Value] | None = None
    items: tuple[Value, ...] | None = None
    kind: Any = None
    all: Origins = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        inner = (*(self.fields or {}).values(), *(self.items or ()))
        size, everything = 1, self.origins
        for value in inner:
            size, everything = size + value.size, everything | value.all
        if size > LARGEST:
            size, everything = 1, weakened(everything, "value")
            object.__setattr__(self, "origins", everything)
            object.__setattr__(self, "fields", None)
            object.__setattr__(self, "items", None)
        object.__setattr__(self, "all", everything)
        object.__setattr__(self, "size", size)


def weakened(origins: Origins, manner: Manner) -> Origins:
    """The same origins, at most as strong as `manner` says."""
    return frozenset(Origin(o.slot, max(o.manner, manner, key=_STRENGTH.index), False, o.unseen) for o in origins)


def unseen(origins: Origins) -> Origins:
    """The same origins, of which a run may not know."""
    return frozenset(replace(origin, unseen=True) for origin in origins)


PLAIN: Final = Value()


@dataclass(frozen=True, slots=True)
class Used:
    """A method of a part, such as ``book.put``; "" is a call of the part."""

    handle: PartHandle
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A function of a class, with its first argument."""

    function: Any
    receiver: Value


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """A function that the program defines while it runs."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    frame: Frame


@dataclass(frozen=True, slots=True, eq=False)
class Of:
    """An attribute of a value that no type explains: a method of a library's object, most of the time."""

    receiver: Value
    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """Something of a module that is not loaded: ``requests.get``."""

    name: str


def mixed(values: Iterable[Value], manner: Manner = "value", kind: Any = None) -> Value:
    """A value computed from all of these."""
    origins = frozenset[Origin]().union(*(value.all for value in values))
    return Value(origins=weakened(origins, manner), kind=kind)


def with_origins(value: Value, more: Origins) -> Value:
    """The value, which also comes from `more`."""
    if not more - value.origins:
        return value
    return Value(value.thing, value.origins | more, value.fields, value.items, value.kind)


def either(one: Value, other: Value) -> Value:
    """One of both, decided at run time."""
    if one is other or _is_nothing(other):
        return one
    if _is_nothing(one):
        return other
    thing = one.thing if one.thing is other.thing else UNKNOWN
    kind = one.kind if one.kind == other.kind else None
    if one.fields is not None and other.fields is not None:
        names = {**one.fields, **other.fields}
        fields = {name: either(one.fields.get(name, PLAIN), other.fields.get(name, PLAIN)) for name in names}
        return Value(thing, one.origins | other.origins, fields, None, kind)
    if one.items is not None and other.items is not None and len(one.items) == len(other.items):
        items = tuple(map(either, one.items, other.items))
        return Value(thing, one.origins | other.origins, None, items, kind)
    if one.fields is None and other.fields is None and one.items is None and other.items is None:
        return Value(thing, one.origins | other.origins, kind=kind)
    return Value(thing, weakened(one.all | other.all, "value"), kind=kind)


def _is_nothing(value: Value) -> bool:
    """A constant, such as None: joined with data it adds nothing."""
    return value.thing is UNKNOWN and value.fields is None and not value.items and not value.origins


def field_of(value: Value, name: str) -> Value | None:
    """The field `name`, where the program or the type tells that there is one; else None."""
    if value.fields is not None and name in value.fields:
        return with_origins(value.fields[name], weakened(value.origins, "value"))
    record = record_in(value.kind)
    if record is None or name not in fields_of(record):
        return None
    return Value(origins=frozenset(_deeper(o, name) for o in value.origins), kind=fields_of(record)[name])


def _deeper(origin: Origin, name: str) -> Origin:
    slot = origin.slot
    if not origin.exact or slot.path.count(".") + 1 >= DEEPEST:
        return origin
    return Origin(
        Slot(slot.part, slot.port, f"{slot.path}.{name}" if slot.path else name), origin.manner, True, origin.unseen
    )
