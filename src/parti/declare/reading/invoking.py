"""Instructions that call, await, enter contexts, and make functions and classes."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Final

from parti.declare.reading.arguments import UNSEEN, Arguments, starred
from parti.declare.reading.attributes import attribute
from parti.declare.reading.containers import element, opened
from parti.declare.reading.listing import Step
from parti.declare.reading.methods import ADDING, EXTENDING, changed
from parti.declare.reading.symbols import (
    FOREIGN,
    NULL,
    Bag,
    Cell,
    CellRef,
    Known,
    Made,
    Method,
    Namespace,
    New,
    Super,
    Symbol,
    Table,
    is_a,
)

if TYPE_CHECKING:
    from parti.declare.reading.machine import Machine

_BUILD_CLASS: Final = object()


def _call(machine: Machine, step: Step) -> None:
    names = machine.keywords
    machine.keywords = ()
    if step.op == "CALL_KW":
        names = _texts(machine.stack.pop())
    _invoke(machine, step.arg, names)


def _invoke(machine: Machine, count: int, names: tuple[str, ...]) -> None:
    end = len(machine.stack) - count
    if end < 2:
        raise IndexError(count)
    passed = machine.stack[end:]
    first, second = machine.stack[end - 2], machine.stack[end - 1]
    del machine.stack[end - 2 :]
    callee = second if first == NULL else first
    if NULL not in (first, second):
        passed.insert(0, second)
    split = len(passed) - len(names)
    keywords = tuple(zip(names, passed[split:], strict=True))
    machine.stack.append(_result(machine, callee, Arguments(tuple(passed[:split]), keywords)))


def _texts(symbol: Symbol) -> tuple[str, ...]:
    return symbol.thing if isinstance(symbol, Known) and is_a(symbol.thing, tuple) else ()


def _keyword_names(machine: Machine, step: Step) -> None:
    machine.keywords = step.value


def _call_starred(machine: Machine, step: Step) -> None:
    keywords = machine.stack.pop() if step.arg & 1 else None
    positional = machine.reader.iterate(machine.stack.pop(), machine.spot())
    second, first = machine.stack.pop(), machine.stack.pop()
    callee = second if first == NULL else first
    arguments = starred(opened(positional), None if keywords is None else opened(keywords))
    machine.stack.append(_result(machine, callee, arguments))


def _result(machine: Machine, callee: Symbol, arguments: Arguments) -> Symbol:
    """What the call gives. Those that look at the calling function itself are answered here."""
    thing = callee.thing if isinstance(callee, Known) else None
    if thing is _BUILD_CLASS:
        machine.reader.call(arguments.positional[0], UNSEEN, machine.spot())
        return FOREIGN
    if thing is super:
        return _super(machine, arguments)
    if thing is globals:
        return Namespace(machine.callee.names)
    if isinstance(callee, Method) and isinstance(callee.receiver, Bag | Table):
        _change(machine, callee, callee.receiver, arguments)
    elif isinstance(callee, Method) and callee.name in ADDING | EXTENDING | {"setdefault"}:
        for symbol in arguments.all():
            machine.reader.hand_over(symbol, None, machine.spot())
        return FOREIGN
    return machine.reader.call(callee, arguments, machine.spot())


def _change(machine: Machine, method: Method, receiver: Bag | Table, arguments: Arguments) -> None:
    """``tools.append(book)``: followed for containers this function made; else where it goes is not known."""
    new = changed(receiver, method.name, arguments)
    if new is None:
        return
    if receiver.home is not machine or not machine.replace(receiver, new):
        for symbol in arguments.all():
            machine.reader.hand_over(symbol, None, machine.spot())


def _super(machine: Machine, arguments: Arguments) -> Symbol:
    cls, receiver = arguments.get(0), arguments.get(1)
    if cls is None:
        cls, receiver = machine.load("__class__"), machine.first
    if isinstance(cls, Known) and is_a(cls.thing, type) and receiver is not None:
        return Super(cls.thing, receiver)
    return FOREIGN


# Functions and classes


def _make_function(machine: Machine, step: Step) -> None:
    code = machine.stack.pop()
    made = Made(_code(code), machine.callee.names)
    for flag in (0x08, 0x04, 0x02, 0x01):
        if step.arg & flag:
            made = _with(made, flag, machine.stack.pop())
    _push_made(machine, made)


def _code(symbol: Symbol) -> CodeType:
    assert isinstance(symbol, Known) and isinstance(symbol.thing, CodeType), "a function is made from code"
    return symbol.thing


def _set_attribute(machine: Machine, step: Step) -> None:
    """Since Python 3.13 closure and defaults are given one by one."""
    made, value = machine.stack.pop(), machine.stack.pop()
    assert isinstance(made, Made), "the attribute is set on the function just made"
    machine.reader.made.pop(made, None)
    _push_made(machine, _with(made, step.arg, value))


def _with(made: Made, flag: int, value: Symbol) -> Made:
    cells, defaults, named = made.cells, made.defaults, made.keyword_defaults
    found = opened(value)
    if flag == 0x08 and isinstance(found, Bag):
        cells = tuple(item.cell if isinstance(item, CellRef) else Cell() for item in found.items)
    elif flag == 0x02 and isinstance(found, Table):
        named = tuple((key.thing, item) for key, item in found.pairs if isinstance(key, Known))
    elif flag == 0x01 and isinstance(found, Bag):
        defaults = found.items
    return Made(made.code, made.globals, cells, defaults, named)


def _push_made(machine: Machine, made: Made) -> None:
    machine.reader.made.setdefault(made, machine.spot())
    machine.stack.append(made)


def _load_build_class(machine: Machine, step: Step) -> None:
    machine.stack.append(Known(_BUILD_CLASS))


# Waiting and contexts


def _await(machine: Machine, step: Step) -> None:
    awaited = machine.stack[-1]
    if isinstance(awaited, New):
        method = attribute(machine.reader, awaited, "__await__", machine.spot())
        machine.stack[-1] = machine.reader.call(method, Arguments(), machine.spot())


def _enter_context(machine: Machine, step: Step) -> None:
    manager = machine.stack.pop()
    word = "__aenter__" if step.op == "BEFORE_ASYNC_WITH" else "__enter__"
    entered: Symbol = FOREIGN
    if isinstance(manager, Bag):  # a generator under `contextlib.contextmanager`
        entered = element(manager)
    elif isinstance(manager, New | Known) and machine.reader.is_own(manager):
        enter = attribute(machine.reader, manager, word, machine.spot())
        entered = machine.reader.call(enter, Arguments(), machine.spot())
        leave = attribute(machine.reader, manager, word.replace("enter", "exit"), machine.spot())
        machine.reader.call(leave, Arguments((FOREIGN, FOREIGN, FOREIGN)), machine.spot())
    machine.stack.extend((FOREIGN, entered))


OPERATIONS: Final[dict[str, Callable[[Machine, Step], None]]] = {
    **dict.fromkeys(("CALL", "CALL_KW"), _call),
    "KW_NAMES": _keyword_names,
    "CALL_FUNCTION_EX": _call_starred,
    "MAKE_FUNCTION": _make_function,
    "SET_FUNCTION_ATTRIBUTE": _set_attribute,
    "LOAD_BUILD_CLASS": _load_build_class,
    "GET_AWAITABLE": _await,
    **dict.fromkeys(("BEFORE_WITH", "BEFORE_ASYNC_WITH"), _enter_context),
}
