"""The abstract machine: runs a code object over symbols, along every path, and joins what the paths know."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from parti.declare.reading.findings import Notes
from parti.declare.reading.frames import Callee, Spot
from parti.declare.reading.listing import Handler, Step, listing
from parti.declare.reading.operations import OPERATIONS
from parti.declare.reading.symbols import FOREIGN, Cell, CellRef, Symbol, join

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
        self.listing = listing(callee.code, OPERATIONS)
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
        self.notes: Notes = {}
        self._start = spot
        self._entry: dict[int, tuple[tuple[Symbol, ...], dict[str, Symbol]]] = {}
        self._waiting: set[int] = set()

    def spot(self) -> Spot:
        """Where the reading is now."""
        start = self._start
        return Spot(start.file, self.step.line, start.may, start.depth)

    def run(self) -> None:
        """Follow every path until nothing new is learned. Raises Unreadable."""
        self._flow(0, (), self.names)
        budget = _VISITS_PER_STEP * (len(self.listing.steps) + 25)
        shared = self._shared()
        while self._waiting or shared != self._shared():
            if not self._waiting:  # a nested function stored something that earlier lines read
                shared = self._shared()
                self._waiting.update(self._entry)
            index = min(self._waiting)
            self._waiting.discard(index)
            budget -= self._follow(index)
            if budget < 0:
                raise Unreadable("its loops do not settle")

    def _shared(self) -> list[Symbol | None]:
        return [cell.value for cell in self.cells.values() if cell.shared]

    def _follow(self, index: int) -> int:
        """One path up to the next place where paths meet; how many steps it took."""
        stack, names = self._entry[index]
        self.stack, self.names = list(stack), dict(names)
        caught: Handler | None = None
        taken, steps, starts = 0, self.listing.steps, self.listing.starts
        findings, notes = self.reader.findings, self.notes
        while True:
            step = self.step = steps[index]
            if step.handler is not None and (self.touched or step.handler is not caught):
                self._raise_to(step.handler)
            caught, self.touched = step.handler, False
            findings.index = index
            if index in notes:  # an earlier reading of this instruction knew less
                del notes[index]
            index = self._go(step, index + 1)
            taken += 1
            if index < 0:
                return taken
            if index in starts:
                self._flow(index, tuple(self.stack), self.names)
                return taken

    def _go(self, step: Step, following: int) -> int:
        """One instruction; the index of the next one on this path, or -1 where it ends."""
        try:
            if step.act is not None:
                step.act(self, step)
                return -1 if step.op in _STOPS else following
            if step.target >= 0:
                return self._branch(step, following)
        except IndexError as short:
            raise Unreadable(f"{step.op} finds too little on the stack") from short
        raise Unreadable(f"{step.op} is not known")

    def _branch(self, step: Step, following: int) -> int:
        op, stack = step.op, self.stack
        if op in _JUMPS:
            self._flow(step.target, tuple(stack), self.names)
            return -1
        if op == "SEND":
            return self._send(step, following)
        if op == "FOR_ITER":
            self._loop(step)
        elif op.startswith("POP_JUMP"):
            stack.pop()
            self._flow(step.target, tuple(stack), self.names)
        elif op.endswith("_OR_POP"):
            self._flow(step.target, tuple(stack), self.names)
            stack.pop()
        else:
            raise Unreadable(f"{op} is not known")
        return following

    def _loop(self, step: Step) -> None:
        """The iterator stays below the item; at the end it is gone, or waits for END_FOR (since Python 3.12)."""
        ends = self.listing.steps[step.target].op == "END_FOR"
        left = (*self.stack, FOREIGN) if ends else tuple(self.stack[:-1])
        self._flow(step.target, left, self.names)
        self.stack.append(self.reader.next_item(self.stack[-1], self.spot()))

    def _send(self, step: Step, following: int) -> int:
        """Waiting: the awaited value is there at the jump target. Only `yield from` passes items on before that."""
        self.stack.pop()
        awaited = self.stack[-1]
        above = (awaited,) if self.listing.steps[step.target].op == "END_SEND" else ()
        if not self.listing.delegates:
            self.stack.extend(above)
            return step.target
        self._flow(step.target, (*self.stack, *above), self.names)
        self.stack.append(self.reader.next_item(awaited, self.spot()))
        return following

    def _raise_to(self, handler: Handler) -> None:
        if len(self.stack) < handler.depth:
            raise Unreadable("an exception handler expects more on the stack")
        extra = (FOREIGN, FOREIGN) if handler.keeps_offset else (FOREIGN,)
        self._flow(handler.target, (*self.stack[: handler.depth], *extra), self.names)

    def _flow(self, index: int, stack: tuple[Symbol, ...], names: dict[str, Symbol]) -> None:
        """A path reaches `index`: join it with what is known there, and follow on from there if that is news."""
        known = self._entry.get(index)
        if known is None:
            self._entry[index] = (stack, dict(names))
            self._waiting.add(index)
            return
        old_stack, old_names = known
        if len(old_stack) != len(stack):
            raise Unreadable("paths meet with different stacks")
        news = {name: new for name, value in names.items() if (new := _news(old_names.get(name), value)) is not None}
        pile = [_news(old, value) for old, value in zip(old_stack, stack, strict=True)]
        if news or any(pile):
            joined = tuple(new or old for new, old in zip(pile, old_stack, strict=True))
            self._entry[index] = (joined, {**old_names, **news})
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
        """Yield `value` from the function."""
        if self.yields:
            self.yielded = value if self.yielded is None else join(self.yielded, value)


def _news(old: Symbol | None, value: Symbol) -> Symbol | None:
    """The join of both if it says more than `old` does, else None."""
    if old is value:
        return None
    if old is None:
        return value
    new = join(old, value)
    return None if new is old or new == old else new
