"""Symbols: what the reader knows of a value without running the program, and how two such beliefs join."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Final, TypeGuard, TypeVar

T = TypeVar("T")

PLAIN: Final = (str, int, float, bool, bytes, complex, type(None), type(...))
DEEPEST: Final = 6
WIDEST: Final = 512


class Symbol:
    """What is known of one value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Foreign(Symbol):
    """Holds no part: data, or what a library gave. `label` is how the program writes it."""

    label: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Param(Symbol):
    """An argument of a function whose callers are not in sight."""

    name: str


@dataclass(frozen=True, slots=True)
class Lost(Symbol):
    """May be a part or lead to one, and cannot be told; using it is an opaque spot for the reason `why`."""

    why: str


@dataclass(frozen=True, slots=True)
class Null(Symbol):
    """The interpreter's own filler, never a value of the program."""


@dataclass(frozen=True, slots=True, eq=False)
class Known(Symbol):
    """Exactly this object. Plain data is compared by value, everything else by identity."""

    thing: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Known):
            return False
        mine, its = self.thing, other.thing
        return mine is its or (type(mine) is type(its) and type(mine) in PLAIN and bool(mine == its))

    def __hash__(self) -> int:
        return hash(self.thing) if type(self.thing) in PLAIN else id(self.thing)


@dataclass(frozen=True, slots=True)
class Choice(Symbol):
    """One of several, decided at run time. `order` is that in which they were found."""

    options: frozenset[Symbol]
    order: tuple[Symbol, ...] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Bag(Symbol):
    """A tuple, list, set or iterator made by the program; `exact` when `items` are all of it, in order."""

    items: tuple[Symbol, ...]
    exact: bool = True
    home: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Table(Symbol):
    """A dict made by the program, as pairs of key and value; `exact` when they are all of it."""

    pairs: tuple[tuple[Symbol, Symbol], ...]
    exact: bool = True
    home: object = field(default=None, compare=False, repr=False)


class Cell:
    """A variable shared by nested functions: the join of all that is stored in it."""

    __slots__ = ("shared", "value")

    def __init__(self, value: Symbol | None = None) -> None:
        self.value = value
        self.shared = False

    def store(self, value: Symbol) -> None:
        """Add one value that the variable may have."""
        self.value = value if self.value is None else join(self.value, value)


@dataclass(frozen=True, slots=True)
class CellRef(Symbol):
    """The variable itself, on its way into a nested function."""

    cell: Cell


@dataclass(frozen=True, slots=True, eq=False)
class Made(Symbol):
    """A function made while the program runs: nested function, lambda, comprehension."""

    code: CodeType
    globals: dict[str, Any]
    cells: tuple[Cell, ...] = ()
    defaults: tuple[Symbol, ...] = ()
    keyword_defaults: tuple[tuple[str, Symbol], ...] = ()

    def _key(self) -> tuple[object, ...]:
        return (id(self.code), self.cells, self.defaults, self.keyword_defaults)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Made) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True, slots=True)
class Bound(Symbol):
    """A function with its first argument."""

    function: Symbol
    receiver: Symbol


@dataclass(frozen=True, slots=True)
class Partial(Symbol):
    """A `functools.partial` made while the program runs."""

    target: Symbol
    positional: tuple[Symbol, ...]
    keywords: tuple[tuple[str, Symbol], ...]


@dataclass(frozen=True, slots=True, eq=False)
class New(Symbol):
    """An object of a class of the app, made by the program at `site` from `made_of`."""

    cls: type
    site: tuple[str, int]
    made_of: tuple[Symbol, ...]

    def _key(self) -> tuple[object, ...]:
        return (id(self.cls), self.site, self.made_of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, New) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True, slots=True)
class Use(Symbol):
    """A method of a part, such as ``book.put``."""

    handle: Known
    method: str


@dataclass(frozen=True, slots=True)
class Method(Symbol):
    """A method of a container, such as ``TOOLS.items``."""

    receiver: Symbol
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Namespace(Symbol):
    """The names of a module or object as a mapping, such as ``globals()``."""

    names: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Super(Symbol):
    """``super()`` in a method of `cls`."""

    cls: type
    receiver: Symbol


FOREIGN: Final = Foreign()
NULL: Final = Null()


def is_a(thing: object, *kinds: type[T]) -> TypeGuard[T]:
    """`isinstance`, without asking the object itself, whose `__class__` may be code of the app."""
    return issubclass(type(thing), kinds)


def options(symbol: Symbol) -> Iterable[Symbol]:
    """What the value may be; a single one unless it is a choice."""
    return symbol.order if isinstance(symbol, Choice) else (symbol,)


def choose(symbols: Iterable[Symbol]) -> Symbol:
    """The join of all; FOREIGN when there is none."""
    found: Symbol | None = None
    for symbol in symbols:
        found = symbol if found is None else join(found, symbol)
    return FOREIGN if found is None else found


def join(one: Symbol, other: Symbol) -> Symbol:
    """What is known of a value that is `one` on one path and `other` on another."""
    if one is other or one == other:
        return one
    merged: dict[Symbol, None] = {}
    container: Symbol | None = None
    for symbol in (*options(one), *options(other)):
        if isinstance(symbol, Bag | Table):
            container = symbol if container is None else _join_containers(container, symbol)
        else:
            merged[_settled(symbol)] = None
    if container is not None:
        merged[container] = None
    texts = [symbol for symbol in merged if isinstance(symbol, Known) and is_a(symbol.thing, str)]
    if len(texts) > 16:
        merged = {symbol: None for symbol in merged if symbol not in texts} | {FOREIGN: None}
    if len(merged) > WIDEST:
        return Lost(f"this may be more than {WIDEST} things")
    return next(iter(merged)) if len(merged) == 1 else Choice(frozenset(merged), tuple(merged))


def _settled(symbol: Symbol) -> Symbol:
    """Joined numbers, flags and None are just data; texts may name a person, so they are kept."""
    if isinstance(symbol, Known) and type(symbol.thing) in PLAIN and not is_a(symbol.thing, str):
        return FOREIGN
    return symbol


def _join_containers(one: Symbol, other: Symbol) -> Symbol:
    if one == other:
        return one
    if isinstance(one, Table) and isinstance(other, Table):
        both = dict(one.pairs)
        for key, value in other.pairs:
            both[key] = join(both[key], value) if key in both else value
        return table(both.items(), exact=False, home=one.home)
    if isinstance(one, Bag) and isinstance(other, Bag):
        if one.exact and other.exact and len(one.items) == len(other.items):
            return bag(map(join, one.items, other.items), home=one.home)
        return bag((*one.items, *other.items), exact=False, home=one.home)
    return bag((*_contents(one), *_contents(other)), exact=False)


def _contents(container: Symbol) -> tuple[Symbol, ...]:
    if isinstance(container, Bag):
        return container.items
    return tuple(value for _, value in container.pairs) if isinstance(container, Table) else ()


def bag(items: Iterable[Symbol], *, exact: bool = True, home: object = None) -> Bag:
    """A container of these; one of unknown length keeps only the join of its items."""
    kept = tuple(map(_shallow, items))
    if exact and len(kept) <= WIDEST:
        return Bag(kept, True, home)
    return Bag((_shallow(choose(kept)),) if kept else (), False, home)


def table(pairs: Iterable[tuple[Symbol, Symbol]], *, exact: bool = True, home: object = None) -> Table:
    """A dict of these pairs; of two with the same key the last one counts."""
    kept: dict[Symbol, Symbol] = {}
    for key, value in pairs:
        certain = isinstance(key, Known)
        name = key if certain else FOREIGN
        kept[name] = _shallow(value if certain or name not in kept else join(kept[name], value))
    if len(kept) > WIDEST:
        return Table(((FOREIGN, choose(kept.values())),), False, home)
    return Table(tuple(kept.items()), exact and FOREIGN not in kept, home)


def _shallow(symbol: Symbol) -> Symbol:
    return Lost("this is nested too deeply to be read") if depth(symbol) >= DEEPEST else symbol


def depth(symbol: Symbol) -> int:
    """How deeply symbols are nested in it."""
    inner = parts_of(symbol)
    return 1 + max(map(depth, inner), default=0) if inner else 0


_PARTS: Final[dict[type[Symbol], Callable[[Any], tuple[Symbol, ...]]]] = {
    Choice: lambda choice: choice.order,
    Bag: lambda bag: bag.items,
    Table: lambda table: tuple(symbol for pair in table.pairs for symbol in pair),
    Bound: lambda bound: (bound.function, bound.receiver),
    Partial: lambda made: (made.target, *made.positional, *(value for _, value in made.keywords)),
    New: lambda new: new.made_of,
    Method: lambda method: (method.receiver,),
    Super: lambda found: (found.receiver,),
    Made: lambda made: (*made.defaults, *(value for _, value in made.keyword_defaults)),
}


def parts_of(symbol: Symbol) -> tuple[Symbol, ...]:
    """The symbols directly inside this one."""
    inside = _PARTS.get(type(symbol))
    return inside(symbol) if inside else ()
