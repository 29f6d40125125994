"""The instructions of a code object, prepared once for reading: lines, jump targets, exception handlers."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Handler:
    """Where an exception goes: the index of the first instruction, and the stack it starts with."""

    target: int
    depth: int
    keeps_offset: bool


@dataclass(slots=True)
class Step:
    """One instruction, and what it does to the machine. `target` is the index it may jump to, or -1."""

    op: str
    arg: int
    value: Any
    line: int
    act: Any = None
    target: int = -1
    handler: Handler | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A code object as steps; `starts` are the indices at which paths meet.

    `delegates` is true of a generator that may pass on the items of another (`yield from`).
    """

    code: CodeType
    steps: tuple[Step, ...]
    starts: frozenset[int]
    delegates: bool


_KEPT: Final[dict[int, Listing]] = {}
_KEPT_MOST: Final = 8192
_JUMPS: Final = frozenset((*dis.hasjrel, *dis.hasjabs))
_WITH_CONSTANT: Final = frozenset((*dis.hasconst, *(dis.opmap[op] for op in ("KW_NAMES",) if op in dis.opmap)))
_WITH_NAME: Final = frozenset(dis.hasname)
_WITH_VARIABLE: Final = frozenset((*dis.haslocal, *dis.hasfree))
_PAIRS: Final = frozenset({"LOAD_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST", "STORE_FAST_LOAD_FAST"})
_FLAG_BITS: Final = {"LOAD_GLOBAL": 1} | ({"LOAD_ATTR": 1, "LOAD_SUPER_ATTR": 2} if sys.version_info >= (3, 12) else {})
"""How many low bits of the argument are flags, the rest being the place of the name."""
_WAITING: Final = frozenset({"SEND", "JUMP_BACKWARD_NO_INTERRUPT"})
_IDLE: Final = frozenset(
    [
        "NOP",
        "RESUME",
        "PRECALL",
        "MAKE_CELL",
        "COPY_FREE_VARS",
        "EXTENDED_ARG",
        "CACHE",
        "SETUP_ANNOTATIONS",
        "ASYNC_GEN_WRAP",
        "CALL_INTRINSIC_1",
        "TO_BOOL",
        "GET_YIELD_FROM_ITER",
        "LIST_TO_TUPLE",
        "UNARY_POSITIVE",
        "CONVERT_VALUE",
        "FORMAT_SIMPLE",
        "DELETE_GLOBAL",
        "DELETE_NAME",
        "DELETE_DEREF",
    ]
)
"""Instructions that change nothing the reader looks at."""


def listing(code: CodeType, operations: Mapping[str, Any]) -> Listing:
    """The listing of `code`, made once. Kept by identity: equal code may lie in two files."""
    found = _KEPT.get(id(code))
    if found is None:
        if len(_KEPT) >= _KEPT_MOST:
            _KEPT.clear()
        found = _KEPT[id(code)] = _read(code, operations)
    return found


def _read(code: CodeType, operations: Mapping[str, Any]) -> Listing:
    steps: list[Step] = []
    index_at: dict[int, int] = {}
    kept: dict[int, Step] = {}
    targets: list[tuple[Step, int]] = []
    for offset, step, target in instructions(code):
        index_at[offset] = len(steps)
        if step.op in _IDLE:
            continue
        kept[offset] = step
        step.act = operations.get(step.op)
        if target >= 0:
            targets.append((step, target))
        steps.append(step)
    for step, offset in targets:
        step.target = index_at[offset]
    delegates = bool(code.co_flags & inspect.CO_GENERATOR)
    starts = {step.target for step, _ in targets if delegates or step.op not in _WAITING}
    for entry in getattr(dis.Bytecode(code), "exception_entries", ()) if code.co_exceptiontable else ():
        handler = Handler(index_at[entry.target], entry.depth, entry.lasti)
        starts.add(handler.target)
        for offset in range(entry.start, entry.end, 2):
            if offset in kept:
                kept[offset].handler = handler
    return Listing(code, tuple(steps), frozenset(starts), delegates)


def instructions(code: CodeType) -> Iterator[tuple[int, Step, int]]:
    """Offset, instruction and offset of the jump target (or -1) of each, caches left out.

    The same as `dis.get_instructions` gives, without the texts that make it slow.
    """
    content = code.co_code
    variables = code.co_varnames
    variables += tuple(name for name in code.co_cellvars if name not in variables) + code.co_freevars
    line, extended = code.co_firstlineno, 0
    for offset, (start, *_) in zip(range(0, len(content), 2), code.co_positions(), strict=True):
        number, arg = content[offset], content[offset + 1] | extended
        if not number:  # a cache of the instruction before
            continue
        line = start or line
        op = dis.opname[number]
        extended = arg << 8 if op == "EXTENDED_ARG" else 0
        value: Any = arg
        if number in _WITH_CONSTANT:
            value = code.co_consts[arg]
        elif number in _WITH_NAME:
            value = code.co_names[arg >> _FLAG_BITS.get(op, 0)]
        elif number in _WITH_VARIABLE:
            pair = op in _PAIRS
            value = (variables[arg >> 4], variables[arg & 15]) if pair else variables[arg]
        target = _target(content, offset, op, arg) if number in _JUMPS else -1
        yield offset, Step(op, arg, value, line), target


def _target(content: bytes, offset: int, op: str, arg: int) -> int:
    """Jumps count from the next instruction, behind the caches of their own."""
    after = offset + 2
    while after < len(content) and not content[after]:
        after += 2
    return after - 2 * arg if "BACKWARD" in op else after + 2 * arg
