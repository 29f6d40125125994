"""The instructions of a code object, prepared once for reading: lines, jump targets, exception handlers."""

from __future__ import annotations

import dis
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
    """One instruction. `target` is the index it may jump to, or -1."""

    op: str
    arg: int
    value: Any
    line: int
    target: int = -1
    handler: Handler | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A code object as steps; `starts` are the indices at which paths meet."""

    code: CodeType
    steps: tuple[Step, ...]
    starts: frozenset[int]


_KEPT: Final[dict[int, Listing]] = {}
_KEPT_MOST: Final = 8192


def listing(code: CodeType) -> Listing:
    """The listing of `code`, read once. Kept by identity: equal code may lie in two files."""
    found = _KEPT.get(id(code))
    if found is None:
        if len(_KEPT) >= _KEPT_MOST:
            _KEPT.clear()
        found = _KEPT[id(code)] = _read(code)
    return found


def _read(code: CodeType) -> Listing:
    book = dis.Bytecode(code)
    steps: list[Step] = []
    index_at: dict[int, int] = {}
    targets: list[tuple[Step, int]] = []
    line = code.co_firstlineno
    for instruction in book:
        index_at[instruction.offset] = len(steps)
        positions = instruction.positions
        line = positions.lineno if positions is not None and positions.lineno is not None else line
        step = Step(instruction.opname, instruction.arg or 0, instruction.argval, line)
        if instruction.opcode in _JUMPS:
            targets.append((step, instruction.argval))
        steps.append(step)
    for step, offset in targets:
        step.target = index_at[offset]
    starts = {step.target for step, _ in targets}
    for entry in getattr(book, "exception_entries", ()):
        handler = Handler(index_at[entry.target], entry.depth, entry.lasti)
        starts.add(handler.target)
        for offset in range(entry.start, entry.end, 2):
            if offset in index_at:
                steps[index_at[offset]].handler = handler
    return Listing(code, tuple(steps), frozenset(starts))


_JUMPS: Final = frozenset((*dis.hasjrel, *dis.hasjabs))
