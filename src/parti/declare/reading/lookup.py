"""Attributes of existing objects, found without running anything of theirs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, Final

from parti.declare.handles import PartHandle
from parti.declare.reading.symbols import is_a

MISSING: Final = object()


def own_names(thing: object) -> Mapping[str, Any]:
    """The object's own attributes; empty when it keeps none."""
    if is_a(thing, type):
        return type.__dict__["__dict__"].__get__(thing)  # type: ignore[no-any-return]
    for base in type.__dict__["__mro__"].__get__(type(thing)):
        kept = type.__dict__["__dict__"].__get__(base).get("__dict__")
        if kept is not None:  # of a proxy it is a descriptor of its own, which must not run
            plain = isinstance(kept, GetSetDescriptorType | MemberDescriptorType)
            names = kept.__get__(thing, type(thing)) if plain else {}
            return names if isinstance(names, dict) else {}
    return {}


def in_class(cls: type, name: str, *, after: type | None = None) -> Any:
    """What the class or the first of its bases (those behind `after` only) says for `name`, as it is kept; or MISSING."""
    order = type.__dict__["__mro__"].__get__(cls)
    if after is not None:
        order = order[order.index(after) + 1 :] if after in order else ()
    for base in order:
        names = own_names(base)
        if name in names:
            return names[name]
    return MISSING


def in_instance(thing: object, name: str) -> Any:
    """What the object itself keeps under `name`, in its dict, a slot or a field of a named tuple; or MISSING."""
    names = own_names(thing)
    if name in names:
        return names[name]
    if is_a(thing, enum.Enum) and name in ("value", "name"):
        return own_names(thing).get(f"_{name}_", MISSING)
    kept = in_class(type(thing), name)
    if is_a(kept, MemberDescriptorType):
        try:
            return kept.__get__(thing, type(thing))
        except AttributeError:
            return MISSING
    if is_a(thing, tuple):
        return _in_named_tuple(thing, name)
    return MISSING


def _in_named_tuple(thing: tuple[Any, ...], name: str) -> Any:
    fields = in_class(type(thing), "_fields")
    if isinstance(fields, tuple) and name in fields and fields.index(name) < tuple.__len__(thing):
        return tuple.__getitem__(thing, fields.index(name))
    return MISSING


def in_module(module: ModuleType, name: str) -> Any:
    """A name of a module, or MISSING. Parti's own modules may load a part of themselves on first use."""
    names = own_names(module)
    if name not in names and module.__name__.partition(".")[0] == "parti":
        return getattr(module, name, MISSING)
    return names.get(name, MISSING)


def of_enum(cls: type, name: str) -> Any:
    """The member of an enumeration, or MISSING."""
    members = own_names(cls).get("_member_map_", {}) if is_a(cls, enum.EnumMeta) else {}
    return members.get(name, MISSING)


def of_handle(handle: PartHandle, name: str) -> Any:
    """An attribute of a part's handle. Properties of Parti's own classes may run; anything else is only looked up."""
    kept = in_class(type(handle), name)
    if is_a(kept, property) and kept.fget is not None and kept.fget.__module__.startswith("parti."):
        try:
            return kept.fget(handle)
        except AssertionError:  # what does not exist, such as the dead letters of dead letters
            return MISSING
    return in_instance(handle, name)


def unwrapped(thing: object) -> Any:
    """What a decorator keeps as `__wrapped__`, or MISSING."""
    return own_names(thing).get("__wrapped__", MISSING)


def title(thing: object) -> str:
    """How messages name a function or class: ``json.dumps``."""
    if not isinstance(thing, FunctionType | BuiltinFunctionType | type):
        return type(thing).__qualname__
    module = thing.__module__
    return thing.__qualname__ if module in (None, "builtins", "__main__") else f"{module}.{thing.__qualname__}"
