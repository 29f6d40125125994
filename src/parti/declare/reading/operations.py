"""What each bytecode instruction of Python 3.11 to 3.13 does to the machine's stack and variables."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from parti.declare.reading import invoking, storing
from parti.declare.reading.containers import SLICE, added, extended, stored
from parti.declare.reading.listing import Step
from parti.declare.reading.symbols import (
    FOREIGN,
    NULL,
    Bag,
    CellRef,
    Foreign,
    Known,
    Symbol,
    Table,
    bag,
    is_a,
    table,
)

if TYPE_CHECKING:
    from parti.declare.reading.machine import Machine

Operation = Callable[["Machine", Step], None]


def effect(pops: int, pushes: int) -> Operation:
    """An instruction whose results hold no part."""

    def act(machine: Machine, step: Step) -> None:
        _drop(machine, pops)
        machine.stack.extend([FOREIGN] * pushes)

    return act


def _drop(machine: Machine, count: int) -> list[Symbol]:
    """Take `count` values off the stack, in the order they were put there."""
    if len(machine.stack) < count:
        raise IndexError(count)
    end = len(machine.stack) - count
    taken = machine.stack[end:]
    del machine.stack[end:]
    return taken


def _load_const(machine: Machine, step: Step) -> None:
    machine.stack.append(Known(step.value))


def _load_fast(machine: Machine, step: Step) -> None:
    if step.value in machine.cells:  # since Python 3.13 a shared variable itself is loaded so
        machine.stack.append(CellRef(machine.cells[step.value]))
    else:
        machine.stack.append(_named(machine.load(step.value), step.value))


def _named(symbol: Symbol, name: str) -> Symbol:
    return Foreign(name) if type(symbol) is Foreign else symbol


def _load_deref(machine: Machine, step: Step) -> None:
    machine.stack.append(_named(machine.load(step.value), step.value))


def _load_closure(machine: Machine, step: Step) -> None:
    machine.stack.append(CellRef(machine.cells[step.value]))


def _store_fast(machine: Machine, step: Step) -> None:
    machine.save(step.value, machine.stack.pop())


def _delete_fast(machine: Machine, step: Step) -> None:
    machine.names.pop(step.value, None)


def _load_two(machine: Machine, step: Step) -> None:
    for name in step.value:
        machine.stack.append(_named(machine.load(name), name))


def _store_two(machine: Machine, step: Step) -> None:
    for name in step.value:
        machine.save(name, machine.stack.pop())


def _store_load(machine: Machine, step: Step) -> None:
    stored_name, loaded_name = step.value
    machine.save(stored_name, machine.stack.pop())
    machine.stack.append(_named(machine.load(loaded_name), loaded_name))


def _copy(machine: Machine, step: Step) -> None:
    machine.stack.append(machine.stack[-step.arg])


def _swap(machine: Machine, step: Step) -> None:
    stack = machine.stack
    stack[-1], stack[-step.arg] = stack[-step.arg], stack[-1]


def _return(machine: Machine, step: Step) -> None:
    machine.give(machine.stack.pop())


def _return_const(machine: Machine, step: Step) -> None:
    machine.give(Known(step.value))


def _yield(machine: Machine, step: Step) -> None:
    machine.put_out(machine.stack.pop())
    machine.stack.append(FOREIGN)


def _end_send(machine: Machine, step: Step) -> None:
    del machine.stack[-2]


# Containers


def _build(machine: Machine, step: Step) -> None:
    machine.stack.append(bag(_drop(machine, step.arg), home=machine))


def _build_map(machine: Machine, step: Step) -> None:
    taken = _drop(machine, 2 * step.arg)
    machine.stack.append(table(zip(taken[::2], taken[1::2], strict=True), home=machine))


def _build_const_map(machine: Machine, step: Step) -> None:
    *values, keys = _drop(machine, step.arg + 1)
    names = keys.thing if isinstance(keys, Known) and isinstance(keys.thing, tuple) else ()
    machine.stack.append(table(zip(map(Known, names), values, strict=True), home=machine))


def _append(machine: Machine, step: Step) -> None:
    value = machine.stack.pop()
    machine.stack[-step.arg] = added(machine.stack[-step.arg], value)


def _extend(machine: Machine, step: Step) -> None:
    more = machine.stack.pop()
    if not step.op.startswith("DICT"):
        more = machine.reader.iterate(more, machine.spot())
    machine.stack[-step.arg] = extended(machine.stack[-step.arg], more)


def _map_add(machine: Machine, step: Step) -> None:
    key, value = _drop(machine, 2)
    machine.stack[-step.arg] = stored(machine.stack[-step.arg], key, value)


def _unpack(machine: Machine, step: Step) -> None:
    whole = machine.stack.pop()
    machine.stack.extend(reversed(machine.reader.unpack(whole, step.arg, None, machine.spot())))


def _unpack_star(machine: Machine, step: Step) -> None:
    whole = machine.stack.pop()
    values = machine.reader.unpack(whole, step.arg & 0xFF, step.arg >> 8, machine.spot())
    machine.stack.extend(reversed(values))


def _subscript(machine: Machine, step: Step) -> None:
    container, key = _drop(machine, 2)
    machine.stack.append(machine.reader.item(container, key, machine.spot()))


def _slice(machine: Machine, step: Step) -> None:
    container, _, _ = _drop(machine, 3)
    machine.stack.append(machine.reader.item(container, SLICE, machine.spot()))


def _build_slice(machine: Machine, step: Step) -> None:
    _drop(machine, step.arg)
    machine.stack.append(SLICE)


def _binary(machine: Machine, step: Step) -> None:
    """``+`` and ``|`` join containers; with anything else they compute."""
    left, right = _drop(machine, 2)
    joins = isinstance(left, Bag | Table) or (isinstance(left, Known) and is_a(left.thing, list, tuple, dict))
    machine.stack.append(extended(left, right) if joins else FOREIGN)


def _iterate(machine: Machine, step: Step) -> None:
    machine.stack[-1] = machine.reader.iterate(machine.stack[-1], machine.spot())


def _next_awaited(machine: Machine, step: Step) -> None:
    machine.stack.append(machine.reader.next_item(machine.stack[-1], machine.spot()))


OPERATIONS: Final[dict[str, Operation]] = {
    **dict.fromkeys(("UNARY_NOT", "UNARY_NEGATIVE", "UNARY_INVERT", "CHECK_EXC_MATCH"), effect(1, 1)),
    **dict.fromkeys(("COMPARE_OP", "IS_OP", "CONTAINS_OP", "FORMAT_WITH_SPEC", "CALL_INTRINSIC_2"), effect(2, 1)),
    **dict.fromkeys(("GET_LEN", "MATCH_MAPPING", "MATCH_SEQUENCE", "MATCH_KEYS", "WITH_EXCEPT_START"), effect(0, 1)),
    **dict.fromkeys(("LOAD_ASSERTION_ERROR", "RETURN_GENERATOR", "PUSH_EXC_INFO"), effect(0, 1)),
    **dict.fromkeys(("POP_TOP", "POP_EXCEPT", "DELETE_ATTR", "RERAISE"), effect(1, 0)),
    "END_FOR": effect(1 if sys.version_info >= (3, 13) else 2, 0),
    **dict.fromkeys(("DELETE_SUBSCR", "END_ASYNC_FOR"), effect(2, 0)),
    "STORE_SLICE": effect(4, 0),
    "MATCH_CLASS": effect(3, 1),
    "CHECK_EG_MATCH": effect(2, 2),
    "PREP_RERAISE_STAR": effect(2, 1),
    "CLEANUP_THROW": effect(3, 2),
    "RAISE_VARARGS": lambda machine, step: effect(step.arg, 0)(machine, step),
    "BUILD_STRING": lambda machine, step: effect(step.arg, 1)(machine, step),
    "BUILD_SLICE": _build_slice,
    "FORMAT_VALUE": lambda machine, step: effect(2 if step.arg & 4 else 1, 1)(machine, step),
    "PUSH_NULL": lambda machine, step: machine.stack.append(NULL),
    "LOAD_CONST": _load_const,
    **dict.fromkeys(("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR"), _load_fast),
    "LOAD_FAST_LOAD_FAST": _load_two,
    "STORE_FAST_STORE_FAST": _store_two,
    "STORE_FAST_LOAD_FAST": _store_load,
    "LOAD_DEREF": _load_deref,
    "LOAD_CLOSURE": _load_closure,
    "STORE_FAST": _store_fast,
    "STORE_DEREF": _store_fast,
    "DELETE_FAST": _delete_fast,
    "COPY": _copy,
    "SWAP": _swap,
    "RETURN_VALUE": _return,
    "RETURN_CONST": _return_const,
    "YIELD_VALUE": _yield,
    "END_SEND": _end_send,
    **dict.fromkeys(("BUILD_TUPLE", "BUILD_LIST", "BUILD_SET"), _build),
    "BUILD_MAP": _build_map,
    "BUILD_CONST_KEY_MAP": _build_const_map,
    **dict.fromkeys(("LIST_APPEND", "SET_ADD"), _append),
    **dict.fromkeys(("LIST_EXTEND", "SET_UPDATE", "DICT_UPDATE", "DICT_MERGE"), _extend),
    "MAP_ADD": _map_add,
    "UNPACK_SEQUENCE": _unpack,
    "UNPACK_EX": _unpack_star,
    "BINARY_SUBSCR": _subscript,
    "BINARY_SLICE": _slice,
    "BINARY_OP": _binary,
    "GET_ITER": _iterate,
    "GET_AITER": _iterate,
    "GET_ANEXT": _next_awaited,
    "LOAD_LOCALS": effect(0, 1),
    **storing.OPERATIONS,
    **invoking.OPERATIONS,
}  # fmt: skip
