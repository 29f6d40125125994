"""``thing.name`` on symbols: what it denotes, through modules, classes, instances and parts."""

from __future__ import annotations

from functools import cached_property
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from parti.declare.handles import PartHandle
from parti.declare.reading.arguments import Arguments
from parti.declare.reading.containers import is_container
from parti.declare.reading.frames import Spot
from parti.declare.reading.lookup import (
    MISSING,
    in_class,
    in_instance,
    in_module,
    of_enum,
    of_handle,
    own_names,
    unwrapped,
)
from parti.declare.reading.symbols import (
    PLAIN,
    Bag,
    Bound,
    Choice,
    Foreign,
    Known,
    Lost,
    Method,
    Namespace,
    New,
    Param,
    Super,
    Symbol,
    Table,
    Use,
    choose,
    is_a,
    join,
)

if TYPE_CHECKING:
    from parti.declare.reading.reader import Reader

_CONTAINERS: Final = (dict, list, set, frozenset, tuple)


def attribute(reader: Reader, symbol: Symbol, name: str, spot: Spot) -> Symbol:
    """What ``symbol.name`` denotes."""
    if isinstance(symbol, Choice):
        return choose(attribute(reader, option, name, spot._replace(may=True)) for option in symbol.order)
    if isinstance(symbol, Known):
        return _of_known(reader, symbol, name, spot)
    if isinstance(symbol, New):
        return _of_object(reader, symbol, symbol.cls, name, spot)
    if isinstance(symbol, Bag | Table | Namespace):
        return Method(symbol, name)
    if isinstance(symbol, Super):
        return _of_super(reader, symbol, name, spot)
    if isinstance(symbol, Lost):
        return symbol
    label = symbol.label if isinstance(symbol, Foreign) else symbol.name if isinstance(symbol, Param) else ""
    return Foreign(f"{label}.{name}" if label else name)


def _of_known(reader: Reader, symbol: Known, name: str, spot: Spot) -> Symbol:
    thing = symbol.thing
    kind = type(thing)
    if kind in PLAIN:
        return Foreign(name)
    if kind in _CONTAINERS:
        return Method(symbol, name)
    if is_a(thing, PartHandle):
        return Use(symbol, name) if name in thing.uses else _wrapped(of_handle(thing, name), name)
    if is_a(thing, ModuleType):
        return _with_stored(reader, symbol, name, in_module(thing, name), Foreign(f"{thing.__name__}.{name}"))
    if name == "__dict__":
        names = own_names(thing)
        return Namespace(dict(names))
    if name == "__class__":
        return Known(kind)
    if is_a(thing, type):
        return _of_class(reader, symbol, thing, name, spot)
    return _of_object(reader, symbol, kind, name, spot)


def _wrapped(found: Any, name: str) -> Symbol:
    return Foreign(name) if found is MISSING else Known(found)


def _with_stored(reader: Reader, owner: Symbol, name: str, found: Any, absent: Symbol) -> Symbol:
    """What an object holds now, joined with what the program stores in it."""
    stored = reader.load(owner, name)
    if found is MISSING:
        return absent if stored is None else stored
    return Known(found) if stored is None else join(Known(found), stored)


def _of_class(reader: Reader, symbol: Known, cls: type, name: str, spot: Spot) -> Symbol:
    member = of_enum(cls, name)
    if member is not MISSING:
        return Known(member)
    found = in_class(cls, name)
    stored = reader.load(symbol, name)
    if found is MISSING:
        return stored or Foreign(f"{cls.__qualname__}.{name}")
    bound = _bound(reader, found, None, cls, name, spot)
    return bound if stored is None else join(bound, stored)


def _of_object(reader: Reader, symbol: Symbol, cls: type, name: str, spot: Spot) -> Symbol:
    """An attribute of an instance: property, own attribute, attribute of the class, then `__getattr__`."""
    kept = in_class(cls, name)
    if is_a(kept, property):
        return _computed(reader, kept.fget, symbol, name, spot)
    own = in_instance(symbol.thing, name) if isinstance(symbol, Known) else MISSING
    stored = _with_stored(reader, symbol, name, own, Foreign(""))
    if own is not MISSING or (symbol, name) in reader.heap:
        return stored
    if is_a(kept, cached_property):
        return _computed(reader, kept.func, symbol, name, spot)
    if kept is not MISSING:
        return _bound(reader, kept, symbol, cls, name, spot)
    if isinstance(symbol, Known) and is_container(symbol.thing):
        return Method(symbol, name)
    fallback = Known(in_class(cls, "__getattr__"))
    if reader.owns(fallback):
        return reader.enter(fallback, Arguments((symbol, Known(name))), spot)
    return Foreign(f"{cls.__qualname__}.{name}")


def _computed(reader: Reader, getter: Any, symbol: Symbol, name: str, spot: Spot) -> Symbol:
    """A property: its function is read, not run."""
    function = Known(getter)
    return reader.enter(function, Arguments((symbol,)), spot) if reader.owns(function) else Foreign(name)


def _bound(reader: Reader, kept: Any, receiver: Symbol | None, cls: type, name: str, spot: Spot) -> Symbol:
    """What a class keeps under a name, as seen through an instance (`receiver`) or through the class itself."""
    if is_a(kept, staticmethod):
        return Known(kept.__func__)
    if is_a(kept, classmethod):
        return Bound(Known(kept.__func__), Known(cls))
    if receiver is None:
        return Known(kept)
    getter = Known(in_class(type(kept), "__get__"))
    if is_a(kept, FunctionType) or (getter.thing is not MISSING and unwrapped(kept) is not MISSING):
        return Bound(Known(kept), receiver)
    if reader.owns(getter):
        return reader.enter(getter, Arguments((Known(kept), receiver, Known(cls))), spot)
    if getter.thing is not MISSING and not is_a(kept, PartHandle, type):
        return Method(receiver, name) if isinstance(receiver, Known) and is_container(receiver.thing) else Foreign(name)
    return Known(kept)


def _of_super(reader: Reader, symbol: Super, name: str, spot: Spot) -> Symbol:
    receiver = symbol.receiver
    cls = receiver.cls if isinstance(receiver, New) else symbol.cls
    if isinstance(receiver, Known):
        cls = receiver.thing if is_a(receiver.thing, type) else type(receiver.thing)
    kept = in_class(cls, name, after=symbol.cls)
    if kept is MISSING:
        return Foreign(name)
    if is_a(kept, property):
        return _computed(reader, kept.fget, receiver, name, spot)
    return _bound(reader, kept, receiver, cls, name, spot)
