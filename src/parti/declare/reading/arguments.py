"""The arguments of a call as symbols, and what the parameters of a function become from them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import CodeType

from parti.declare.reading.symbols import (
    FOREIGN,
    PLAIN,
    Bag,
    Foreign,
    Known,
    Param,
    Symbol,
    Table,
    bag,
    is_a,
    join,
    options,
    table,
)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call passes. `rest` is what a star of unknown length may add; `unseen` when the call itself is not in sight."""

    positional: tuple[Symbol, ...] = ()
    keywords: tuple[tuple[str, Symbol], ...] = ()
    rest: Symbol | None = None
    unseen: bool = False

    def all(self) -> Iterator[Symbol]:
        """Every symbol that is passed."""
        yield from self.positional
        yield from (value for _, value in self.keywords)
        if self.rest is not None:
            yield self.rest

    def after(self, *first: Symbol) -> Arguments:
        """The same arguments behind these."""
        return replace(self, positional=(*first, *self.positional))

    def get(self, index: int, name: str = "") -> Symbol | None:
        """The argument at this position, or of this name; what a star may hold when it is not there; else None."""
        if index < len(self.positional):
            return self.positional[index]
        return dict(self.keywords).get(name, self.rest)


UNSEEN = Arguments(unseen=True)


def starred(positional: Symbol, keywords: Symbol | None) -> Arguments:
    """The arguments of ``f(*positional, **keywords)``."""
    named: list[tuple[str, Symbol]] = []
    rest: Symbol | None = None
    for symbol in options(keywords) if keywords is not None else ():
        pairs, exact = (symbol.pairs, symbol.exact) if isinstance(symbol, Table) else ((), False)
        named += [(key.thing, value) for key, value in pairs if isinstance(key, Known) and is_a(key.thing, str)]
        rest = rest if exact else _with(rest, *(value for key, value in pairs if not isinstance(key, Known)))
    if isinstance(positional, Bag) and positional.exact:
        return Arguments(positional.items, tuple(named), rest)
    items = positional.items if isinstance(positional, Bag) else ()
    return Arguments((), tuple(named), _with(rest, *items))


def _with(rest: Symbol | None, *more: Symbol) -> Symbol:
    found: Symbol = rest or FOREIGN
    for symbol in more:
        found = join(found, symbol)
    return found


@dataclass(frozen=True, slots=True)
class Defaults:
    """The default values of a function's last positional parameters, and those of its keyword-only ones."""

    positional: tuple[Symbol, ...] = ()
    keywords: Mapping[str, Symbol] | None = None


def bind(code: CodeType, defaults: Defaults, arguments: Arguments) -> dict[str, Symbol]:
    """What each parameter of `code` is when it is called so."""
    count = code.co_argcount
    names = code.co_varnames
    keywords = dict(arguments.keywords)
    first_default = count - len(defaults.positional)
    bound: dict[str, Symbol] = {}
    for index, name in enumerate(names[: count + code.co_kwonlyargcount]):
        if index < count:
            default = defaults.positional[index - first_default] if index >= first_default else None
        else:
            default = (defaults.keywords or {}).get(name)
        if index < count and index < len(arguments.positional):
            bound[name] = arguments.positional[index]
        elif name in keywords and index >= code.co_posonlyargcount:
            bound[name] = keywords.pop(name)
        else:
            bound[name] = _absent(name, default, arguments)
    _bind_stars(code, bound, keywords, arguments)
    return bound


def _absent(name: str, default: Symbol | None, arguments: Arguments) -> Symbol:
    """A parameter that the call does not name: its default, or what a star may hold."""
    if arguments.unseen:
        plain = default is None or isinstance(default, Foreign)
        plain = plain or (isinstance(default, Known) and type(default.thing) in PLAIN)
        return Param(name) if default is None or plain else default
    if arguments.rest is not None:
        return arguments.rest if default is None else join(default, arguments.rest)
    return FOREIGN if default is None else default


def _bind_stars(code: CodeType, bound: dict[str, Symbol], keywords: dict[str, Symbol], arguments: Arguments) -> None:
    index = code.co_argcount + code.co_kwonlyargcount
    rest = () if arguments.rest is None else (arguments.rest,)
    exact = arguments.rest is None and not arguments.unseen
    if code.co_flags & inspect.CO_VARARGS:
        bound[code.co_varnames[index]] = bag((*arguments.positional[code.co_argcount :], *rest), exact=exact)
        index += 1
    if code.co_flags & inspect.CO_VARKEYWORDS:
        pairs = [(Known(name), value) for name, value in keywords.items()]
        unknown = [(FOREIGN, symbol) for symbol in rest]
        bound[code.co_varnames[index]] = table([*pairs, *unknown], exact=exact)
