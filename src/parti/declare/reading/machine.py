"""The abstract machine: runs a code object over symbols, along every path, and joins what the paths know."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from parti.declare.reading.frames import Callee, Spot
from parti.declare.reading.listing import Handler, Step, listing
from parti.declare.reading.operations import OPERATIONS
from parti.declare.reading.symbols import FOREIGN, Cell, CellRef, Known, Symbol, join

if TYPE_CHECKING:
    from parti.declare.reading.reader import Reader

_STOPS: Final = frozenset({"RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS"})
_JUMPS: Final = frozenset({"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"})
_VISITS_PER_STEP: Final = 40


class Unreadable(Exception):
    """The bytecode is not as expected; nothing is guessed about it."""


class Machine:
    """One function, called one way. `stack` and `names` are those of the path being followed."""

    def __init__(self, reader: Reader, callee: Callee, bound: dict[str, Symbol], spot: Spot) -> None:
        self.reader = reader
        self.callee = callee
        self.listing = listing(callee.code)
        self.stack: list[Symbol] = []
        self.names = dict(bound)
        self.touched = False
        self.first = next(iter(bound.values()), FOREIGN)
        self.step: Step = self.listing.steps[0]
        self.keywords: tuple[str, ...] = ()
        self.returned: Symbol | None = None
        self.yielded: Symbol | None = None
        self.yields = bool(callee.code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR))
        self.cells = dict(zip(callee.code.co_freevars, callee.cells, strict=False))
        for name in callee.code.co_cellvars:
            self.cells[name] = Cell(bound.get(name))
        self._start = spot
        self._entry: dict[int, tuple[tuple[Symbol, ...], dict[str, Symbol]]] = {}
        self._waiting: set[int] = set()

    def spot(self) -> Spot:
        """Where the reading is now."""
        return self._start._replace(line=self.step.line)

    def run(self) -> None:
        """Follow every path until nothing new is learned. Raises Unreadable."""
        self._flow(0, (), self.names)
        budget = _VISITS_PER_STEP * (len(self.listing.steps) + 25)
        while self._waiting:
            index = min(self._waiting)
            self._waiting.discard(index)
            budget -= self._follow(index)
            if budget < 0:
                raise Unreadable("its loops do not settle")

    def _follow(self, index: int) -> int:
        """One path up to the next place where paths meet; how many steps it took."""
        stack, names = self._entry[index]
        self.stack, self.names = list(stack), dict(names)
        caught: Handler | None = None
        begin, steps, starts = index, self.listing.steps, self.listing.starts
        while True:
            step = self.step = steps[index]
            if step.handler is not None and (self.touched or step.handler is not caught):
                self._raise_to(step.handler)
            caught, self.touched = step.handler, False
            if not self._go(step):
                return index - begin + 1
            index += 1
            if index in starts:
                self._flow(index, tuple(self.stack), self.names)
                return index - begin

    def _go(self, step: Step) -> bool:
        """One instruction; False when the path does not go on to the next one."""
        op = step.op
        operation = OPERATIONS.get(op)
        try:
            if operation is not None:
                operation(self, step)
                return op not in _STOPS
            if step.target >= 0:
                return self._branch(step)
        except IndexError as short:
            raise Unreadable(f"{op} finds too little on the stack") from short
        raise Unreadable(f"{op} is not known")

    def _branch(self, step: Step) -> bool:
        op, stack = step.op, self.stack
        if op in _JUMPS:
            self._flow(step.target, tuple(stack), self.names)
            return False
        if op.startswith("POP_JUMP"):
            stack.pop()
            self._flow(step.target, tuple(stack), self.names)
        elif op in ("JUMP_IF_TRUE_OR_POP", "JUMP_IF_FALSE_OR_POP"):
            self._flow(step.target, tuple(stack), self.names)
            stack.pop()
        elif op == "FOR_ITER":
            self._loop(step)
        elif op == "SEND":
            self._send(step)
        else:
            raise Unreadable(f"{op} is not known")
        return True

    def _loop(self, step: Step) -> None:
        """The iterator stays below the item; at the end it is gone, or waits for END_FOR (since Python 3.12)."""
        ends = self.listing.steps[step.target].op == "END_FOR"
        left = (*self.stack, FOREIGN) if ends else tuple(self.stack[:-1])
        self._flow(step.target, left, self.names)
        self.stack.append(self.reader.next_item(self.stack[-1], self.spot()))

    def _send(self, step: Step) -> None:
        """Waiting: the awaited value comes at the jump target; on the way there whatever is yielded is passed on."""
        sent = self.stack.pop()
        awaited = self.stack[-1]
        below = self.stack if self.listing.steps[step.target].op == "END_SEND" else self.stack[:-1]
        self._flow(step.target, (*below, awaited), self.names)
        passes = self.yields and not self.callee.code.co_flags & inspect.CO_ASYNC_GENERATOR
        self.stack.append(self.reader.next_item(awaited, self.spot()) if passes else sent)

    def _raise_to(self, handler: Handler) -> None:
        if len(self.stack) < handler.depth:
            raise Unreadable("an exception handler expects more on the stack")
        extra = (FOREIGN, FOREIGN) if handler.keeps_offset else (FOREIGN,)
        self._flow(handler.target, (*self.stack[: handler.depth], *extra), self.names)

    def _flow(self, index: int, stack: tuple[Symbol, ...], names: dict[str, Symbol]) -> None:
        """A path reaches `index`: join it with what is known there."""
        known = self._entry.get(index)
        if known is None:
            self._entry[index] = (stack, dict(names))
            self._waiting.add(index)
            return
        old_stack, old_names = known
        if len(old_stack) != len(stack):
            raise Unreadable("paths meet with different stacks")
        new_stack = tuple(map(join, old_stack, stack))
        new_names = {name: join(old, names.get(name, old)) for name, old in old_names.items()}
        new_names.update((name, value) for name, value in names.items() if name not in old_names)
        if new_stack != old_stack or new_names != old_names:
            self._entry[index] = (new_stack, new_names)
            self._waiting.add(index)

    # Variables

    def load(self, name: str) -> Symbol:
        """A local variable, or one shared with nested functions."""
        cell = self.cells.get(name)
        if cell is not None and (cell.shared or name not in self.names):
            return cell.value or FOREIGN
        return self.names.get(name, FOREIGN)

    def save(self, name: str, value: Symbol) -> None:
        """Store in a variable; other functions that share it see all that was ever stored."""
        if isinstance(value, CellRef):  # an inlined comprehension puts a shared variable back
            return
        self.touched = True
        self.names[name] = value
        cell = self.cells.get(name)
        if cell is not None:
            cell.store(value)
            cell.shared = cell.shared or name in self.callee.code.co_freevars

    def replace(self, old: Symbol, new: Symbol) -> bool:
        """A container changed in place: every variable and stack slot that holds it sees the change."""
        found = False
        for index, symbol in enumerate(self.stack):
            if symbol is old:
                self.stack[index], found = new, True
        for name, symbol in self.names.items():
            if symbol is old:
                found = True
                self.save(name, new)
        return found

    def give(self, value: Symbol) -> None:
        """Return `value` from the function."""
        self.returned = value if self.returned is None else join(self.returned, value)

    def put_out(self, value: Symbol) -> None:
        """Yield `value`, when the function is a generator and not just waiting."""
        if self.yields and value != _NONE:
            self.yielded = value if self.yielded is None else join(self.yielded, value)


_NONE: Final = Known(None)
