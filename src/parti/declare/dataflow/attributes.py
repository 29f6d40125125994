"""``value.name``: a field as types tell, a method or property that is followed, or an attribute that none explains."""

from __future__ import annotations

import inspect
from types import FunctionType, ModuleType
from typing import Any, Final

from parti.declare.dataflow import calls
from parti.declare.dataflow.frame import Frame
from parti.declare.dataflow.values import PLAIN, UNKNOWN, Bound, Named, Of, Used, Value, field_of, mixed
from parti.declare.handles import PartHandle, TopicHandle
from parti.design.fields import record_in

COPYING: Final = frozenset({"model_copy", "model_dump", "copy", "dict", "model_validate", "model_validate_json"})
"""Methods of records that keep the fields apart; `calls` knows what they do."""


def attribute(frame: Frame, base: Value, name: str) -> Value:
    """What the attribute is."""
    found = field_of(base, name)
    if found is not None:
        return found
    thing = base.thing
    if isinstance(thing, PartHandle):
        return _of_part(thing, name)
    if isinstance(thing, ModuleType):
        return Value(vars(thing)[name]) if name in vars(thing) else Value(Named(f"{thing.__name__}.{name}"))
    if isinstance(thing, Named):
        return Value(Named(f"{thing.name}.{name}"))
    if isinstance(thing, type):
        return _of_class(thing, base, name)
    owner = record_in(base.kind) or (base.kind if isinstance(base.kind, type) else None)
    if owner is None and thing is not UNKNOWN and not isinstance(thing, Used | Bound | Of):
        owner = type(thing)
    if owner is not None and name not in COPYING:
        member = inspect.getattr_static(owner, name, UNKNOWN)
        if isinstance(member, property) and frame.reader.owns(member.fget):
            return calls.follow(frame, member.fget, [base], {})
        if isinstance(member, FunctionType):
            return Value(Bound(member, base), mixed([base]).origins)
    return Value(Of(base, name), mixed([base]).origins)


def _of_part(handle: PartHandle, name: str) -> Value:
    if name in handle.uses:
        return Value(Used(handle, name))
    if name == "dead" and isinstance(handle, TopicHandle) and handle.part.dead_letters:
        return Value(handle.dead)
    return PLAIN


def _of_class(cls: type, base: Value, name: str) -> Value:
    member: Any = inspect.getattr_static(cls, name, UNKNOWN)
    if name in COPYING or member is UNKNOWN:
        return Value(Of(base, name))
    if isinstance(member, classmethod):
        return Value(Bound(member.__func__, base))
    if isinstance(member, staticmethod):
        return Value(member.__func__)
    return Value(member)
