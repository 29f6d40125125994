"""Values as they are known without running the program: where they come from, field by field, and of which type they are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_origin
from uuid import UUID

from parti.declare.handles import PartHandle
from parti.design.dataflow import Manner, Slot
from parti.design.fields import DEEPEST, fields_of, record_in

if TYPE_CHECKING:
    from parti.declare.dataflow.frame import Frame

UNKNOWN: Final = object()
"""Stands for an object that cannot be told."""

LARGEST: Final = 300

_FIXED: Final = (str, bytes, int, float, complex, Decimal, date, timedelta, Enum, UUID)

_STRENGTH: Final[Mapping[Manner, int]] = {"value": 0, "choice": 1, "condition": 2}


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


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """An object that may change while the program runs, by the place where it is made: other names may stand for it too.

    What it takes in is kept as flows into slots of its `name`, which no part has: by name (data), as items (out). `unseen` says that it outlives
    the run.
    """

    name: str
    unseen: bool = False

    def named(self, name: str = "") -> Origin:
        """What was stored in it under a name."""
        return Origin(Slot(self.name, "data", name), unseen=self.unseen)

    @property
    def items(self) -> Origin:
        """What was stored in it as an item."""
        return Origin(Slot(self.name, "out"), unseen=self.unseen)

    @property
    def inside(self) -> Origins:
        """All that was stored in it."""
        return _inside(self)


Cells = frozenset[Cell]


@lru_cache(maxsize=8192)
def _inside(cell: Cell) -> Origins:
    return frozenset({Origin(Slot(cell.name, "in"), unseen=cell.unseen)})


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """`thing` is the very object, where it is known. `fields` are those of a record that the program makes, `items` those of
    a list or tuple; `kind` is the type, as far as types tell. `cells` are the objects that it may be, where it can change.
    `all` is where all of it comes from. One of more than `LARGEST` values is mixed."""

    thing: Any = UNKNOWN
    origins: Origins = frozenset()
    fields: Mapping[str, Value] | None = None
    items: tuple[Value, ...] | None = None
    kind: Any = None
    cells: Cells = frozenset()
    all: Origins = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        inner = (*(self.fields or {}).values(), *(self.items or ()))
        size, everything = 1, self.origins.union(*(cell.inside for cell in self.cells))
        for value in inner:
            size, everything = size + value.size, everything | value.all
        if size > LARGEST:
            size, everything = 1, weakened(everything, "value")
            object.__setattr__(self, "origins", everything)
            object.__setattr__(self, "fields", None)
            object.__setattr__(self, "items", None)
        object.__setattr__(self, "all", everything)
        object.__setattr__(self, "size", size)


def weaker(one: Manner, other: Manner) -> Manner:
    """How a value goes on that goes on in both manners, one after the other."""
    return one if _STRENGTH[one] > _STRENGTH[other] else other


@lru_cache(maxsize=8192)
def weakened(origins: Origins, manner: Manner) -> Origins:
    """The same origins, at most as strong as `manner` says."""
    least = _STRENGTH[manner]
    return frozenset(
        o if not o.exact and _STRENGTH[o.manner] >= least else Origin(o.slot, weaker(o.manner, manner), False, o.unseen)
        for o in origins
    )


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
    defaults: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Of:
    """An attribute of a value that no type explains: a method of a library's object, most of the time."""

    receiver: Value
    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """Something of a module that is not loaded: ``requests.get``."""

    name: str


def is_fixed(kind: Any) -> bool:
    """Whether values of the type never change."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, _FIXED))


def mixed(values: Iterable[Value], manner: Manner = "value", kind: Any = None) -> Value:
    """A value computed from all of these."""
    origins = frozenset[Origin]().union(*(value.all for value in values))
    return Value(origins=weakened(origins, manner), kind=kind)


def with_origins(value: Value, more: Origins) -> Value:
    """The value, which also comes from `more`."""
    if not more - value.origins:
        return value
    return replaced(value, origins=value.origins | more)


def replaced(value: Value, **changes: Any) -> Value:
    """The value, with other facts."""
    known = {name: getattr(value, name) for name in ("thing", "origins", "fields", "items", "kind", "cells")}
    return Value(**{**known, **changes})


def either(one: Value, other: Value) -> Value:
    """One of both, decided at run time. Lists of different lengths have one item, which is any of theirs."""
    if one is other:
        return one
    if _is_nothing(other):
        return one if not _is_nothing(one) or one.thing == other.thing else PLAIN
    if _is_nothing(one):
        return other
    thing = one.thing if one.thing is other.thing else UNKNOWN
    kind = one.kind if one.kind == other.kind else None
    origins, cells = one.origins | other.origins, one.cells | other.cells
    if one.fields is not None and other.fields is not None:
        names = {**one.fields, **other.fields}
        fields = {name: either(one.fields.get(name, PLAIN), other.fields.get(name, PLAIN)) for name in names}
        return Value(thing, origins, fields, None, kind, cells)
    if one.items is not None and other.items is not None:
        return Value(thing, origins, None, _either_items(one.items, other.items), kind, cells)
    if one.fields is None and other.fields is None and one.items is None and other.items is None:
        return Value(thing, origins, kind=kind, cells=cells)
    return Value(thing, weakened(one.all | other.all, "value"), kind=kind, cells=cells)


def _either_items(one: tuple[Value, ...], other: tuple[Value, ...]) -> tuple[Value, ...]:
    if len(one) == len(other):
        return tuple(map(either, one, other))
    return (reduce(either, (*one, *other)),)


def alike(one: Value, other: Value) -> bool:
    """Whether both say the same."""
    if one is other:
        return True
    if (one.origins, one.cells, one.size) != (other.origins, other.cells, other.size) or one.kind != other.kind:
        return False
    if not _same(one.thing, other.thing):
        return False
    mine, others = one.fields or {}, other.fields or {}
    if mine.keys() != others.keys() or (one.items is None) != (other.items is None):
        return False
    items = zip(one.items or (), other.items or (), strict=False)
    same = len(one.items or ()) == len(other.items or ()) and all(alike(*pair) for pair in items)
    return same and all(alike(value, others[name]) for name, value in mine.items())


def _is_nothing(value: Value) -> bool:
    """A constant, such as None: joined with data it adds nothing."""
    plain = value.thing is UNKNOWN or isinstance(value.thing, str)
    return plain and value.fields is None and not value.items and not value.origins and not value.cells


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    match one:
        case Closure():
            return one.node is other.node
        case Bound():
            return one.function is other.function and alike(one.receiver, other.receiver)
        case Of():
            return one.name == other.name and alike(one.receiver, other.receiver)
        case Used() | Named():
            return bool(one == other)
    return False


def field_of(value: Value, name: str) -> Value | None:
    """The field `name`, where the program or the type tells that there is one; else None."""
    kept = stored(value, name)
    if value.fields is not None and name in value.fields:
        return with_origins(value.fields[name], frozenset(deeper(o, name) for o in value.origins) | kept)
    record = record_in(value.kind)
    known = fields_of(record) if record is not None else {}
    if name not in known:
        return None
    return Value(origins=frozenset(deeper(o, name) for o in value.origins) | kept, kind=known[name])


def stored(value: Value, name: str | None) -> Origins:
    """What the program has stored in an object since: under a name, or as an item (None)."""
    if not value.cells:
        return frozenset()
    if name is None:
        return frozenset(one for cell in value.cells for one in (cell.items, _mixed(cell.named())))
    return frozenset(cell.named(name) for cell in value.cells)


def _mixed(origin: Origin) -> Origin:
    return replace(origin, exact=False)


def deeper(origin: Origin, name: str) -> Origin:
    """The field `name` of what lies there, where it lies there as it is."""
    slot = origin.slot
    if not origin.exact or slot.path.count(".") + 1 >= DEEPEST:
        return origin
    path = f"{slot.path}.{name}" if slot.path else name
    return Origin(Slot(slot.part, slot.port, path), origin.manner, True, origin.unseen)
