"""Whether an object can lead to a declared part, by the names that its code mentions; for naming what stays unseen."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from parti.declare import inside
from parti.declare.handles import PartHandle
from parti.declare.reading.containers import is_container, items_of, opened
from parti.declare.reading.lookup import MISSING, own_names, unwrapped
from parti.declare.reading.symbols import Known, Table, is_a
from parti.declare.reading.territory import Territory

_FURTHEST: Final = 5


class Reach:
    """Answers for one app, and remembers the answers."""

    def __init__(self, territory: Territory) -> None:
        self._territory = territory
        self._known: dict[int, tuple[object, bool]] = {}

    def of(self, thing: Any, further: int = _FURTHEST) -> bool:
        """True when a part is within a few names of `thing`."""
        if is_a(thing, PartHandle) or thing is inside.ask:
            return True
        known = self._known.get(id(thing))
        if known is not None:
            return known[1]
        if not further:
            return False
        self._known[id(thing)] = (thing, False)
        answer = any(self.of(item, further - 1) for item in self._next(thing))
        self._known[id(thing)] = (thing, answer)
        return answer

    def _next(self, thing: Any) -> Iterator[Any]:
        if is_container(thing):
            yield from _held(thing)
        elif is_a(thing, FunctionType):
            yield from self._of_function(thing)
        elif is_a(thing, MethodType):
            yield from (thing.__func__, thing.__self__)
        elif type(thing) in (staticmethod, classmethod):
            yield thing.__func__
        elif is_a(thing, property):
            yield thing.fget
        elif is_a(thing, ModuleType):
            if self._territory.owns_module(thing.__name__, own_names(thing).get("__file__")):
                yield from own_names(thing).values()
        elif is_a(thing, type):
            if self._territory.owns_class(thing):
                yield from own_names(thing).values()
        elif type(thing).__module__ != "builtins":
            yield type(thing)
            yield from own_names(thing).values()

    def _of_function(self, function: FunctionType) -> Iterator[Any]:
        if not self._territory.owns_code(function.__code__, function.__globals__):
            inner = unwrapped(function)
            yield from () if inner is MISSING else (inner,)
            return
        names = function.__globals__
        yield from (names[name] for name in _mentioned(function.__code__) if name in names)
        yield from function.__defaults__ or ()
        for cell in function.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # nothing is stored in it yet
                continue


def _held(thing: Any) -> Iterator[Any]:
    found = opened(Known(thing))
    symbols = [value for _, value in found.pairs] if isinstance(found, Table) else items_of(found)
    return (symbol.thing for symbol in symbols if isinstance(symbol, Known))


def _mentioned(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _mentioned(constant)
    return names
