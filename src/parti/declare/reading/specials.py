"""Functions of Python itself that the reader understands: containers, iteration, getattr, globals, eval."""

from __future__ import annotations

import asyncio
import builtins
import functools
import importlib
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from parti.declare.reading.arguments import Arguments
from parti.declare.reading.attributes import attribute
from parti.declare.reading.containers import as_bag, element, extended, opened
from parti.declare.reading.frames import Spot
from parti.declare.reading.lookup import own_names
from parti.declare.reading.symbols import (
    FOREIGN,
    Bag,
    Known,
    Lost,
    Namespace,
    New,
    Partial,
    Symbol,
    Table,
    bag,
    choose,
    is_a,
    join,
    options,
    table,
)

if TYPE_CHECKING:
    from parti.declare.reading.reader import Reader

Special = Callable[["Reader", Arguments, Spot], Symbol]


def _nothing(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    """Looks at its arguments and keeps none."""
    return FOREIGN


def _same_items(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    first = arguments.get(0)
    key = dict(arguments.keywords).get("key")
    if key is not None:
        reader.hand_over(key, FOREIGN, spot)
    if first is None:
        return bag((), home=spot)
    found = as_bag(reader.iterate(first, spot))
    return Bag(found.items, found.exact, spot)


def _dict(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    found: Symbol = table((), home=spot)
    for symbol in arguments.positional:
        if isinstance(opened(symbol), Table):
            found = extended(found, symbol)
        else:
            pairs = [as_bag(pair).items for pair in as_bag(symbol).items]
            found = table(((FOREIGN, choose(pair[1:])) for pair in pairs if pair), exact=not pairs, home=spot)
    return extended(found, table((Known(name), value) for name, value in arguments.keywords))


def _enumerate(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    found = as_bag(reader.iterate(arguments.get(0) or FOREIGN, spot))
    return bag((bag((FOREIGN, item)) for item in found.items), exact=found.exact)


def _zip(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    columns = [as_bag(reader.iterate(symbol, spot)) for symbol in arguments.positional]
    if columns and all(column.exact for column in columns):
        return bag(map(bag, zip(*(column.items for column in columns), strict=False)))
    return bag((bag(map(element, columns)),), exact=False)


def _map(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    if len(arguments.positional) < 2:
        return FOREIGN
    function, *sources = arguments.positional
    items = tuple(element(reader.iterate(source, spot)) for source in sources)
    return bag((reader.call(function, Arguments(items), spot),), exact=False)


def _filter(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    if len(arguments.positional) < 2:
        return FOREIGN
    item = element(reader.iterate(arguments.positional[1], spot))
    reader.hand_over(arguments.positional[0], FOREIGN, spot)
    return bag((item,), exact=False)


def _next(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    item = element(arguments.get(0) or FOREIGN)
    default = arguments.get(1)
    return item if default is None else join(item, default)


def _getattr(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    thing, name = arguments.get(0) or FOREIGN, arguments.get(1) or FOREIGN
    names = [option for option in options(name) if isinstance(option, Known) and is_a(option.thing, str)]
    if names and len(names) == len(list(options(name))):
        found = choose([attribute(reader, thing, str.__str__(option.thing), spot) for option in names])
        default = arguments.get(2)
        return found if default is None or found != FOREIGN else join(found, default)
    for option in options(thing):
        if _may_lead(reader, option):
            reader.doubt("an attribute is chosen by a computed name; which it is cannot be told", spot)
    return FOREIGN


def _may_lead(reader: Reader, symbol: Symbol) -> bool:
    if isinstance(symbol, New):
        return reader.reaches(symbol.cls) or any(
            owner == symbol and _is_part(v) for (owner, _), v in reader.heap.items()
        )
    return isinstance(symbol, Lost) or (isinstance(symbol, Known) and reader.reaches(symbol.thing))


def _is_part(symbol: Symbol) -> bool:
    return any(isinstance(option, Known | New) for option in options(symbol))


def _vars(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    thing = arguments.get(0)
    return Namespace(dict(own_names(thing.thing))) if isinstance(thing, Known) else FOREIGN


def _run_text(word: str) -> Special:
    def run(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
        reader.doubt(f"`{word}` runs text as program; what it does cannot be read", spot)
        return FOREIGN

    return run


def _import(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    name = arguments.get(0, "name") or FOREIGN
    if isinstance(name, Known) and is_a(name.thing, str):
        return imported(reader, name.thing, spot)
    reader.doubt("a module is imported by a computed name; which it is cannot be told", spot)
    return FOREIGN


def imported(reader: Reader, name: str, spot: Spot) -> Symbol:
    """The module if it is loaded; one of the app that is not loaded yet is an opaque spot."""
    module = sys.modules.get(name)
    if module is not None:
        return Known(module)
    if reader.territory.owns_name(name):
        reader.doubt(f"the module {name} is imported only when this runs; it is not read", spot)
    return FOREIGN


def _partial(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    if not arguments.positional:
        return FOREIGN
    target, *rest = arguments.positional
    return Partial(target, tuple(rest), arguments.keywords)


def _to_thread(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    if not arguments.positional:
        return FOREIGN
    function, *rest = arguments.positional
    return reader.call(function, Arguments(tuple(rest), arguments.keywords, arguments.rest), spot)


def _wrap(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    """``functools.wraps(function)`` gives a decorator that changes nothing the reader looks at."""
    return Known(_unchanged)


def _unchanged(function: object) -> object:
    return function


def _give_back(reader: Reader, arguments: Arguments, spot: Spot) -> Symbol:
    return arguments.get(0) or FOREIGN


SPECIAL: Final[dict[int, Special]] = {
    **{
        id(function): _nothing
        for function in (
            isinstance, issubclass, len, repr, str, id, type, bool, print, hash, callable, hasattr, format, super,
            globals, locals,
        )
    },
    **{id(kind): _same_items for kind in (list, tuple, set, frozenset, sorted, reversed, iter, aiter, deque)},
    id(dict): _dict,
    id(enumerate): _enumerate,
    id(zip): _zip,
    id(map): _map,
    id(filter): _filter,
    id(next): _next,
    id(anext): _next,
    id(getattr): _getattr,
    id(vars): _vars,
    id(eval): _run_text("eval"),
    id(exec): _run_text("exec"),
    id(builtins.__import__): _import,
    id(importlib.import_module): _import,
    id(functools.partial): _partial,
    id(asyncio.to_thread): _to_thread,
    id(functools.wraps): _wrap,
    id(_unchanged): _give_back,
}  # fmt: skip
