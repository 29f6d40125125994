"""What is inside containers: items, keys and values, of those that exist and of those the program makes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from parti.declare.reading.symbols import (
    FOREIGN,
    PLAIN,
    Bag,
    Choice,
    Known,
    Lost,
    Symbol,
    Table,
    bag,
    choose,
    is_a,
    options,
    table,
)

SEQUENCES: Final = (tuple, list, set, frozenset, deque)
_LONGEST: Final = 4096

SLICE: Final = Known(object())
"""A key such as ``1:3``: some of the items."""


def is_container(thing: object) -> bool:
    """Whether it is one of Python's own containers, or of a class derived from them."""
    return is_a(thing, dict, *SEQUENCES)


def opened(symbol: Symbol) -> Symbol:
    """An existing container as a Bag or Table of what it holds now; every other symbol as it is."""
    if not isinstance(symbol, Known) or not is_container(symbol.thing):
        return symbol
    thing = symbol.thing
    if _length(thing) > _LONGEST:
        return FOREIGN
    if is_a(thing, dict):
        return table(((Known(key), Known(value)) for key, value in dict.items(thing)), home=thing)
    return bag(map(Known, _iterate(thing)), home=thing)


def _length(thing: Any) -> Any:
    kinds: tuple[Any, ...] = (dict, *SEQUENCES)
    return next(kind.__len__(thing) for kind in kinds if is_a(thing, kind))


def _iterate(thing: Any) -> Iterable[Any]:
    """The items, by the method of the built-in class: one of the app must not run."""
    for kind in SEQUENCES:
        if is_a(thing, kind):
            iterate: Callable[[Any], Iterable[Any]] = kind.__iter__
            return iterate(thing)
    return ()


def items_of(symbol: Symbol) -> tuple[Symbol, ...]:
    """What iterating over it gives, as far as it is known."""
    found = opened(symbol)
    if isinstance(found, Bag):
        return found.items
    return tuple(key for key, _ in found.pairs) if isinstance(found, Table) else ()


def as_bag(symbol: Symbol) -> Bag:
    """The container as a Bag: of a dict the keys, of a choice all that any of them holds."""
    if isinstance(symbol, Choice):
        return bag((item for option in symbol.order for item in as_bag(option).items), exact=False)
    found = opened(symbol)
    if isinstance(found, Bag):
        return found
    if isinstance(found, Table):
        return bag((key for key, _ in found.pairs), exact=found.exact)
    return Bag((found,) if isinstance(found, Lost) else (), False)


def element(symbol: Symbol) -> Symbol:
    """One item, not known which."""
    if isinstance(symbol, Lost):
        return symbol
    return choose(as_bag(symbol).items)


def value_of(symbol: Symbol) -> Symbol:
    """One value of a dict, or one item of a sequence, not known which."""
    found = opened(symbol)
    if isinstance(found, Table):
        return choose(value for _, value in found.pairs)
    return element(found)


def subscript(container: Symbol, key: Symbol) -> Symbol:
    """``container[key]``: exactly when both are known, else any of what is inside."""
    found = opened(container)
    if isinstance(found, Choice):
        return choose(subscript(option, key) for option in found.order)
    if isinstance(found, Lost):
        return found
    if key == SLICE:
        return bag((element(found),), exact=False) if isinstance(found, Bag) else FOREIGN
    if isinstance(key, Choice):
        return choose(subscript(found, option) for option in key.order)
    if isinstance(found, Bag) and found.exact and isinstance(key, Known) and type(key.thing) in (int, bool):
        inside = -len(found.items) <= key.thing < len(found.items)
        return found.items[key.thing] if inside else FOREIGN
    if isinstance(found, Table) and isinstance(key, Known):
        same = [value for name, value in found.pairs if _same_key(name, key) or name == FOREIGN]
        return choose(same if found.exact or not same else [*same, FOREIGN])
    return value_of(found) if isinstance(found, Bag | Table) else FOREIGN


def _same_key(one: Symbol, other: Known) -> bool:
    if not isinstance(one, Known):
        return False
    if type(one.thing) in PLAIN and type(other.thing) in PLAIN:
        return bool(one.thing == other.thing)
    return one.thing is other.thing or _text(one.thing) == _text(other.thing) is not None


def _text(thing: object) -> str | None:
    """The text of a string, also of a member of a StrEnum."""
    return str.__str__(thing) if is_a(thing, str) else None


def unpack(symbol: Symbol, before: int, after: int | None = None) -> list[Symbol]:
    """The values of ``a, b = symbol``, or of ``a, *b, c = symbol`` with `after` values behind the starred one."""
    whole = as_bag(symbol)
    fits = len(whole.items) == before if after is None else len(whole.items) >= before + after
    if whole.exact and fits:
        if after is None:
            return list(whole.items)
        end = len(whole.items) - after
        return [*whole.items[:before], bag(whole.items[before:end]), *whole.items[end:]]
    one = element(whole)
    return [one] * before if after is None else [*[one] * before, bag((one,), exact=False), *[one] * after]


def added(container: Symbol, value: Symbol) -> Symbol:
    """The container with one more item."""
    found = opened(container)
    if isinstance(found, Bag):
        return bag((*found.items, value), exact=found.exact, home=found.home)
    return found


def extended(container: Symbol, more: Symbol) -> Symbol:
    """The container with all items of another, or the dict with all pairs of another."""
    found, extra = opened(container), opened(more)
    if isinstance(found, Table):
        if isinstance(extra, Table):
            return table((*found.pairs, *extra.pairs), exact=found.exact and extra.exact, home=found.home)
        return table((*found.pairs, (FOREIGN, element(extra))), exact=False, home=found.home)
    if isinstance(found, Bag):
        tail = as_bag(extra)
        return bag((*found.items, *tail.items), exact=found.exact and tail.exact, home=found.home)
    return found


def stored(container: Symbol, key: Symbol, value: Symbol) -> Symbol:
    """The container after ``container[key] = value``."""
    found = opened(container)
    if isinstance(found, Table):
        return table((*found.pairs, (key, value)), exact=found.exact, home=found.home)
    if isinstance(found, Bag):
        return bag((*found.items, value), exact=False, home=found.home)
    return found


def leads_to(symbol: Symbol, wanted: Callable[[Symbol], bool], *, depth: int = 3) -> list[Symbol]:
    """All symbols that `wanted` accepts, in the value itself and in the containers inside it."""
    found: list[Symbol] = []
    for option in options(symbol):
        if wanted(option):
            found.append(option)
        elif depth:
            inner = opened(option)
            inside: tuple[Symbol, ...] = ()
            if isinstance(inner, Bag):
                inside = inner.items
            elif isinstance(inner, Table):
                inside = tuple(value for pair in inner.pairs for value in pair)
            for symbol_inside in inside:
                found += leads_to(symbol_inside, wanted, depth=depth - 1)
    return found
