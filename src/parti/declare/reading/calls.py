"""``callee(arguments)`` on symbols: a part is used, a function of the app is followed, a library is not."""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from parti.declare import inside
from parti.declare.handles import PartHandle
from parti.declare.reading.arguments import UNSEEN, Arguments
from parti.declare.reading.attributes import attribute
from parti.declare.reading.containers import leads_to
from parti.declare.reading.frames import Spot
from parti.declare.reading.lookup import MISSING, in_class, own_names, title, unwrapped
from parti.declare.reading.making import make
from parti.declare.reading.methods import call_method
from parti.declare.reading.specials import SPECIAL
from parti.declare.reading.symbols import (
    FOREIGN,
    Bound,
    Choice,
    Foreign,
    Known,
    Lost,
    Made,
    Method,
    New,
    Param,
    Partial,
    Symbol,
    Use,
    choose,
    is_a,
    options,
)

if TYPE_CHECKING:
    from parti.declare.reading.reader import Reader


def call(reader: Reader, callee: Symbol, arguments: Arguments, spot: Spot) -> Symbol:
    """Follow or note the call; what it gives."""
    match callee:
        case Choice():
            maybe = spot._replace(may=True)
            return choose([call(reader, option, arguments, maybe) for option in callee.order])
        case Known():
            return _call_known(reader, callee, arguments, spot)
        case Use():
            reader.use(callee.handle, callee.method, spot)
            return FOREIGN
        case Made():
            return reader.enter(callee, arguments, spot)
        case Bound():
            if _is_foreign(reader, callee.function):
                return _leave(reader, callee, arguments, spot)
            return call(reader, callee.function, arguments.after(callee.receiver), spot)
        case Partial():
            return call(reader, callee.target, _more(arguments, callee.positional, callee.keywords), spot)
        case New():
            return call(reader, attribute(reader, callee, "__call__", spot), arguments, spot)
        case Method():
            return call_method(reader, callee, arguments, spot)
        case Lost():
            reader.doubt(callee.why, spot)
            return FOREIGN
        case Param():
            reader.doubt(f"`{callee.name}` is an argument; what is called here is decided by the caller", spot)
    return _leave(reader, callee, arguments, spot)


def _is_foreign(reader: Reader, function: Symbol) -> bool:
    """Whether it is a library's plain function."""
    plain = isinstance(function, Known) and is_a(function.thing, FunctionType)
    return plain and isinstance(function, Known) and not callable_in(reader, function)


def _more(arguments: Arguments, positional: Any, keywords: Any) -> Arguments:
    """The arguments of a partial function: the earlier ones first, later keywords win."""
    named = {**dict(keywords), **dict(arguments.keywords)}
    return Arguments((*positional, *arguments.positional), tuple(named.items()), arguments.rest, arguments.unseen)


def _call_known(reader: Reader, callee: Known, arguments: Arguments, spot: Spot) -> Symbol:
    thing = callee.thing
    special = SPECIAL.get(id(thing))
    if special is not None:
        return special(reader, arguments, spot)
    if is_a(thing, PartHandle):
        reader.use(callee, "", spot)
        return FOREIGN
    if thing is inside.ask:
        _ask(reader, arguments, spot)
        return FOREIGN
    if is_a(thing, FunctionType):
        return _call_function(reader, callee, arguments, spot)
    if is_a(thing, MethodType):
        return call(reader, Known(thing.__func__), arguments.after(Known(thing.__self__)), spot)
    if type(thing) is partial:
        keywords = [(name, Known(value)) for name, value in thing.keywords.items()]
        return call(reader, Known(thing.func), _more(arguments, map(Known, thing.args), keywords), spot)
    if is_a(thing, type):
        made = make(reader, thing, arguments, spot)
        return _leave(reader, callee, arguments, spot) if made is None else made
    if unwrapped(thing) is not MISSING:
        return call(reader, Known(unwrapped(thing)), arguments, spot)
    method = Known(in_class(type(thing), "__call__"))
    if reader.owns(method):
        return reader.enter(method, arguments.after(callee), spot)
    return _leave(reader, callee, arguments, spot)


def _call_function(reader: Reader, callee: Known, arguments: Arguments, spot: Spot) -> Symbol:
    """A function of the app is followed, also behind a library's decorator; the function of a library is left alone."""
    if reader.owns(callee):
        return reader.enter(callee, arguments, spot)
    function: FunctionType = callee.thing
    inner = unwrapped(function)
    if inner is not MISSING:
        return call(reader, Known(inner), arguments, spot)
    for cell in function.__closure__ or ():
        held = reader.held(cell)
        if reader.owns(held):  # a decorator that does not say what it wraps
            reader.enter(held, UNSEEN, spot)
    return _leave(reader, callee, arguments, spot)


def _ask(reader: Reader, arguments: Arguments, spot: Spot) -> None:
    who = arguments.get(0, "who") or FOREIGN
    names = list(options(who))
    for name in names:
        if isinstance(name, Known) and is_a(name.thing, str):
            reader.draw("asks", str.__str__(name.thing), spot, may=len(names) > 1)
        else:
            reader.doubt("who is asked is computed", spot)


def _leave(reader: Reader, callee: Symbol, arguments: Arguments, spot: Spot) -> Symbol:
    """A call into a library: it is not followed, and what it is handed is noted."""
    for symbol in arguments.all():
        if not isinstance(symbol, Foreign):
            hand_over(reader, symbol, callee, spot)
    return FOREIGN


def hand_over(reader: Reader, symbol: Symbol, to: Symbol | None, spot: Spot) -> None:
    """A value goes where it cannot be followed: a part is an opaque spot, a function is read as called by anyone.

    `to` is what it is handed to; None when it is stored.
    """
    for found in leads_to(symbol, _matters):
        if isinstance(found, Use):
            reader.use(found.handle, found.method, spot._replace(may=True))
        elif isinstance(found, Known) and is_a(found.thing, PartHandle):
            reader.doubt(_reason(found.thing.name, to), spot)
        elif isinstance(found, New) or (isinstance(found, Known) and not callable_in(reader, found)):
            for held in _fields(reader, found):
                reader.doubt(_reason(held, to), spot)
        else:
            bound = isinstance(found, Partial) or (isinstance(found, Known) and type(found.thing) is partial)
            call(reader, found, UNSEEN, spot._replace(may=True) if bound else spot)


def _matters(symbol: Symbol) -> bool:
    if isinstance(symbol, Known):
        return is_a(symbol.thing, PartHandle, FunctionType, MethodType, partial) or _is_object(symbol.thing)
    return isinstance(symbol, Use | Made | Bound | Partial | New)


def _is_object(thing: object) -> bool:
    return type(thing).__module__ != "builtins" and not is_a(thing, type, dict, list, tuple, set, frozenset)


def callable_in(reader: Reader, symbol: Known) -> bool:
    """Whether it leads to a function of the app."""
    thing = symbol.thing
    if is_a(thing, MethodType):
        return callable_in(reader, Known(thing.__func__))
    if type(thing) is partial:
        return True
    return reader.owns(symbol) or (is_a(thing, FunctionType) and unwrapped(thing) is not MISSING)


def _fields(reader: Reader, symbol: Known | New) -> list[str]:
    """The names of the parts that an object holds."""
    held = [value for (owner, _), value in reader.heap.items() if owner == symbol]
    if isinstance(symbol, Known):
        held += [Known(value) for value in own_names(symbol.thing).values()] if _is_object(symbol.thing) else []
    handles = [found for value in held for found in leads_to(value, _is_part, depth=1)]
    return sorted({found.thing.name for found in handles if isinstance(found, Known)})


def _is_part(symbol: Symbol) -> bool:
    return isinstance(symbol, Known) and is_a(symbol.thing, PartHandle)


def _reason(part: str, to: Symbol | None) -> str:
    if to is None:
        return f"`{part}` is stored where it cannot be followed"
    return f"`{part}` is handed to {describe(to)}; what happens there cannot be seen"


def describe(callee: Symbol) -> str:
    """How a message names what is called."""
    if isinstance(callee, Bound):
        return describe(callee.function)
    if isinstance(callee, Known):
        return title(callee.thing)
    if isinstance(callee, Method | Param):
        return callee.name
    return callee.label if isinstance(callee, Foreign) and callee.label else "a library"
