"""Codeprints: a digest of all of the app's own code that a function leads to, the same in every process.

Parts are named, not entered: they are compared themselves. Where something is met that might hold what no digest can
tell (an object of a library), there is no print, and nothing can be said to be unchanged.
"""

from __future__ import annotations

import ast
import dis
import enum
import inspect
import logging
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final, get_origin

from parti.declare.handles import PartHandle
from parti.declare.reading.lookup import own_names
from parti.declare.reading.territory import Territory

_PLAIN: Final = frozenset(
    {
        "builtins",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "ipaddress",
        "pathlib",
        "re",
        "typing",
        "types",
        "uuid",
        "zoneinfo",
        "parti",
    }
)
"""Modules whose values say in their text all that they hold."""


class Unreadable(Exception):
    """Something that a digest cannot tell."""


def codeprint(function: Callable[..., Any], root: Path) -> str:
    """The digest of what `function` leads to, 16 hex digits; "" where some of it cannot be told."""
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    package = getattr(function, "__module__", "").partition(".")[0]
    printing = _Printing(Territory(root, "" if package.startswith("parti_app_") else package, code.co_filename))
    try:
        printing.add(function)
    except (Unreadable, RecursionError):
        return ""
    return printing.digest.hexdigest()


class _Printing:
    """One digest under way. Each object is entered once, in the order in which it is met."""

    def __init__(self, territory: Territory) -> None:
        self.digest = blake2b(digest_size=8)
        self._territory = territory
        self._met: dict[int, tuple[int, object]] = {}

    def say(self, *facts: object) -> None:
        self.digest.update(repr(facts).encode())

    def add(self, thing: Any) -> None:
        """Take an object in, with what it leads to."""
        if thing is None or type(thing) in (bool, int, float, complex, str, bytes):
            self.say(thing)
            return
        if id(thing) in self._met:
            self.say("again", self._met[id(thing)][0])
            return
        self._met[id(thing)] = len(self._met), thing
        if isinstance(thing, PartHandle):
            self.say("part", thing.name)
        elif isinstance(thing, FunctionType):
            self._function(thing)
        elif isinstance(thing, MethodType):
            self.add(thing.__func__)
            self.add(thing.__self__)
        elif isinstance(thing, type):
            self._class(thing)
        elif isinstance(thing, ModuleType):
            self.say("module", thing.__name__)
        else:
            self._value(thing)

    def _function(self, function: FunctionType) -> None:
        if not self._territory.owns_code(function.__code__, function.__globals__):
            self.say("function", function.__module__, function.__qualname__)
            inner = getattr(function, "__wrapped__", None)
            if inner is not None:
                self.add(inner)
            return
        self.say("function")  # by whatever name: those who mention it say that
        self._code(function.__code__)
        for name, value in _named(function):
            self.say(name)
            self._mentioned(value, function.__code__)
        self._imported(function)
        self.add(function.__defaults__)
        self.add(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            try:
                self.add(cell.cell_contents)
            except ValueError as empty:
                raise Unreadable from empty

    def _imported(self, function: FunctionType) -> None:
        """Modules of the app that the function imports when it is called."""
        for name in sorted(_names(function.__code__) - function.__globals__.keys()):
            module = sys.modules.get(name)
            if isinstance(module, ModuleType):
                self._mentioned(module, function.__code__)
            elif "IMPORT_NAME" in {one.opname for one in dis.get_instructions(function.__code__) if one.argval == name}:
                raise Unreadable

    def _mentioned(self, value: Any, code: CodeType) -> None:
        """A name that code mentions; of a module of the app, what it mentions of that."""
        self.add(value)
        if isinstance(value, ModuleType) and self._territory.owns_module(
            value.__name__, getattr(value, "__file__", None)
        ):
            names = own_names(value)
            for name in sorted(_names(code) & names.keys()):
                self.say(name)
                self._mentioned(names[name], code)

    def _code(self, code: CodeType) -> None:
        self.say(code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, code.co_exceptiontable.hex())
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._code(constant)
            elif isinstance(constant, frozenset):
                self.say(sorted(map(repr, constant)))
            else:
                self.say(constant)

    def _class(self, cls: type) -> None:
        self.say("class", cls.__module__.removeprefix("parti_app_"), cls.__qualname__)
        if not self._territory.owns_class(cls):
            return
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
        except (OSError, TypeError, SyntaxError) as wrong:
            raise Unreadable from wrong
        self.say(ast.dump(tree))
        for base in cls.__bases__:
            self.add(base)
        for value in own_names(cls).values():
            inner = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(inner, FunctionType) and self._territory.owns_code(inner.__code__, inner.__globals__):
                self.add(inner)

    def _value(self, thing: Any) -> None:
        cls = type(thing)
        self.say("value", cls.__module__.removeprefix("parti_app_"), cls.__qualname__)
        if isinstance(thing, list | tuple):
            for item in thing:
                self.add(item)
        elif isinstance(thing, dict):
            for key, value in thing.items():
                self.add(key)
                self.add(value)
        elif isinstance(thing, set | frozenset):
            self.say(sorted(map(repr, thing)))
        elif isinstance(thing, enum.Enum):
            self.say(thing.name)
            self.add(cls)
        elif isinstance(thing, logging.Logger):
            self.say(thing.name)
        elif isinstance(thing, BuiltinFunctionType):
            self.say(thing.__module__, thing.__qualname__)
        elif get_origin(thing) is not None or cls.__module__.partition(".")[0] in _PLAIN:
            self._text(thing)
        elif self._territory.owns_class(cls):
            self.add(cls)
            self.add(dict(own_names(thing)))
        else:
            raise Unreadable

    def _text(self, thing: Any) -> None:
        text = repr(thing)
        if " at 0x" in text:  # it says where it lies, which is another place in every process
            text = text.partition(" at 0x")[0]
            if type(thing).__module__.partition(".")[0] != "parti":
                raise Unreadable
        self.say(text)


def printer(root: Path) -> Callable[[Callable[..., Any]], str]:
    """`codeprint` for the functions of one app, each printed once."""
    return cache(partial(codeprint, root=root))


def _named(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The globals that a function's code mentions, in the order of their names."""
    names = function.__globals__
    return ((name, names[name]) for name in sorted(_names(function.__code__)) if name in names)


def _names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names
