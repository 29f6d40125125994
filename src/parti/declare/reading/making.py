"""``Service(book)``: objects of the app's own classes, with what their fields hold."""

from __future__ import annotations

import dataclasses
from types import FunctionType
from typing import TYPE_CHECKING, Any

from parti.declare.reading.arguments import Arguments
from parti.declare.reading.attributes import attribute
from parti.declare.reading.frames import Spot
from parti.declare.reading.lookup import MISSING, in_class
from parti.declare.reading.symbols import DEEPEST, FOREIGN, Bound, Known, New, Symbol, depth

if TYPE_CHECKING:
    from parti.declare.reading.reader import Reader


def make(reader: Reader, cls: type, arguments: Arguments, spot: Spot) -> Symbol | None:
    """An object of a class of the app, its `__init__` followed; None when its making cannot be seen."""
    made_of = (*arguments.positional, *(value for _, value in arguments.keywords))
    deep = any(depth(symbol) >= DEEPEST - 1 for symbol in made_of)
    new = New(cls, (spot.file, spot.line), () if deep else made_of)
    init = in_class(cls, "__init__")
    if reader.owns(Known(init)):
        reader.enter(Known(init), arguments.after(new), spot)
        return new
    names = _field_names(cls, init)
    if names is not None:
        _fill(reader, new, names, arguments)
        prepared = attribute(reader, new, "__post_init__", spot)
        if isinstance(prepared, Bound) and reader.owns(prepared.function):
            reader.enter(prepared.function, Arguments((new,)), spot)
        return new
    if not reader.territory.owns_class(cls):
        return None
    for symbol in arguments.all():
        reader.hand_over(symbol, Known(cls), spot)
    return new


def _field_names(cls: type, init: Any) -> dict[str, Any] | None:
    """The fields in the order of the arguments, with their defaults; None when the class does not work by fields."""
    if isinstance(init, FunctionType) and dataclasses.is_dataclass(cls):
        return {field.name: _default(field) for field in dataclasses.fields(cls) if field.init}
    names = in_class(cls, "_fields")
    if issubclass(cls, tuple) and isinstance(names, tuple):
        defaults = in_class(cls, "_field_defaults")
        return {name: defaults.get(name, MISSING) for name in names}
    return None


def _default(field: dataclasses.Field[Any]) -> Any:
    return MISSING if field.default is dataclasses.MISSING else field.default


def _fill(reader: Reader, new: New, names: dict[str, Any], arguments: Arguments) -> None:
    for index, (name, default) in enumerate(names.items()):
        given = arguments.get(index, name)
        if given is None:
            given = FOREIGN if default is MISSING else Known(default)
        reader.store(new, name, given)
