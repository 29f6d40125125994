"""Protocols of the app's own classes: iteration and subscripts, beside those of Python's containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parti.declare.reading.arguments import Arguments
from parti.declare.reading.containers import as_bag, element, opened, subscript
from parti.declare.reading.frames import Spot
from parti.declare.reading.lookup import in_class
from parti.declare.reading.methods import name_in
from parti.declare.reading.symbols import (
    FOREIGN,
    Bag,
    Bound,
    Choice,
    Known,
    Lost,
    Namespace,
    New,
    Symbol,
    Table,
    bag,
    choose,
)

if TYPE_CHECKING:
    from parti.declare.reading.reader import Reader


def iterate(reader: Reader, symbol: Symbol, spot: Spot) -> Symbol:
    """The items as a Bag; an iterator of the app stays what it is; everything else gives nothing known."""
    if isinstance(symbol, Choice):
        return bag((item for option in symbol.order for item in _items(reader, option, spot)), exact=False)
    if isinstance(symbol, New | Known):
        for word in ("__iter__", "__aiter__"):
            method = _own_method(reader, symbol, word)
            if method is not None:
                return reader.call(method, Arguments(), spot)
    if isinstance(symbol, New):
        names = in_class(symbol.cls, "_fields")
        fields = names if isinstance(names, tuple) else ()
        return bag([reader.load(symbol, name) or FOREIGN for name in fields]) if fields else symbol
    found = opened(symbol)
    return as_bag(found) if isinstance(found, Table) else found


def _items(reader: Reader, symbol: Symbol, spot: Spot) -> tuple[Symbol, ...]:
    return as_bag(iterate(reader, symbol, spot)).items


def next_item(reader: Reader, symbol: Symbol, spot: Spot) -> Symbol:
    """One item of what `iterate` gave."""
    if isinstance(symbol, New | Known):
        for word in ("__next__", "__anext__"):
            method = _own_method(reader, symbol, word)
            if method is not None:
                return reader.call(method, Arguments(), spot)
    return element(symbol) if isinstance(symbol, Bag | Table | Choice | Lost | Known) else FOREIGN


def item(reader: Reader, container: Symbol, key: Symbol, spot: Spot) -> Symbol:
    """``container[key]``, also of ``globals()`` and of classes of the app."""
    if isinstance(container, Choice):
        return choose([item(reader, option, key, spot) for option in container.order])
    if isinstance(container, Namespace):
        return name_in(reader, container, key, spot)
    if isinstance(container, New | Known):
        method = _own_method(reader, container, "__getitem__")
        if method is not None:
            return reader.call(method, Arguments((key,)), spot)
    if isinstance(container, New):
        return subscript(iterate(reader, container, spot), key)
    return subscript(container, key)


def _own_method(reader: Reader, symbol: New | Known, word: str) -> Symbol | None:
    """A special method that the app wrote, bound to its object."""
    function = Known(in_class(symbol.cls if isinstance(symbol, New) else type(symbol.thing), word))
    return Bound(function, symbol) if reader.owns(function) else None
