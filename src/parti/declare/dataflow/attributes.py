"""``value.name``: a field as types tell, a method or property that is followed, or an attribute that none explains."""

from __future__ import annotations

import inspect
from types import FunctionType, ModuleType
from typing import Any, Final

from parti.declare.dataflow import calls
from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.values import (
    PLAIN,
    UNKNOWN,
    Bound,
    Named,
    Of,
    Origin,
    Used,
    Value,
    field_of,
    mixed,
    stored,
    weakened,
    with_origins,
)
from parti.declare.handles import PartHandle, TopicHandle
from parti.design.fields import record_in

COPYING: Final = frozenset({"model_copy", "model_dump", "copy", "dict", "model_validate", "model_validate_json"})
"""Methods of records that keep the fields apart; `calls` knows what they do."""


def attribute(frame: Frame, base: Value, name: str) -> Value:
    """What the attribute is, and what may have been stored in its place."""
    if name == "__dict__":
        return base
    found = field_of(base, name)
    if found is not None:
        return found
    owner = [base.thing, base.kind] if isinstance(base.kind, type) else [base.thing]
    cells = (cell for thing in owner for cell in frame.reader.heap.lasting(thing))
    kept = frozenset(cell.named(name) for cell in cells)
    return with_origins(_attribute(frame, base, name), kept | (stored(base, name) if base.cells else frozenset()))


def _attribute(frame: Frame, base: Value, name: str) -> Value:
    thing = base.thing
    if isinstance(thing, PartHandle):
        return _of_part(thing, name)
    if isinstance(thing, ModuleType):
        kept = frame.reader.heap.cell_of_global(vars(thing), name).inside
        if name not in vars(thing):
            return Value(Named(f"{thing.__name__}.{name}"), kept)
        return frame.reader.heap.known(vars(thing)[name], kept)
    if isinstance(thing, Named):
        return Value(Named(f"{thing.name}.{name}"))
    if isinstance(thing, type):
        return _of_class(frame, thing, base, name)
    owner = record_in(base.kind) or (base.kind if isinstance(base.kind, type) else None)
    if owner is None and thing is not UNKNOWN and not isinstance(thing, Used | Bound | Of):
        owner = type(thing)
    if owner is not None and name not in COPYING:
        member = inspect.getattr_static(owner, name, UNKNOWN)
        if isinstance(member, property) and frame.reader.owns(member.fget):
            return calls.follow(frame, member.fget, [base], {}, name)
        if isinstance(member, FunctionType):
            return Value(Bound(member, base), mixed([base]).origins)
    if owner is not None and base.cells and frame.reader.owns_class(owner):
        kept = frozenset[Origin]().union(*(cell.inside for cell in base.cells))
        return Value(Of(base, name), weakened(base.all - kept, "value"))
    return Value(Of(base, name), mixed([base]).origins)


def _of_part(handle: PartHandle, name: str) -> Value:
    if name in handle.uses:
        return Value(Used(handle, name))
    if name == "dead" and isinstance(handle, TopicHandle) and handle.part.dead_letters:
        return Value(handle.dead)
    return PLAIN


def _of_class(frame: Frame, cls: type, base: Value, name: str) -> Value:
    member: Any = inspect.getattr_static(cls, name, UNKNOWN)
    if name in COPYING or member is UNKNOWN:
        return Value(Of(base, name))
    if isinstance(member, classmethod):
        return Value(Bound(member.__func__, base))
    if isinstance(member, staticmethod):
        return Value(member.__func__)
    return frame.reader.heap.known(member, frozenset())
