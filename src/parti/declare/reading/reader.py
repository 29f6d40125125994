"""The reader of one part: follows calls from its function, and gathers arrows and opaque spots."""

from __future__ import annotations

import inspect
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from parti.declare.handles import PartHandle
from parti.declare.reading import calls, iteration
from parti.declare.reading.arguments import UNSEEN, Arguments, Defaults, bind
from parti.declare.reading.containers import leads_to, unpack
from parti.declare.reading.findings import Findings, Found, all_of
from parti.declare.reading.frames import Callee, Spot
from parti.declare.reading.lookup import own_names
from parti.declare.reading.machine import Machine, Unreadable
from parti.declare.reading.reach import Reach
from parti.declare.reading.symbols import (
    FOREIGN,
    PLAIN,
    Bag,
    Cell,
    Foreign,
    Known,
    Made,
    New,
    Param,
    Symbol,
    Table,
    bag,
    is_a,
    join,
)
from parti.declare.reading.territory import Territory
from parti.design.graph import Kind

DEEPEST_CALLS: Final = 30
MOST_CALLS: Final = 4000
MOST_WAYS: Final = 12
"""How many different plain arguments one function is followed with before they count as just data."""


class Reader:
    """Reads one part. What is stored in objects is kept in `heap`, joined over the whole program."""

    def __init__(self, part: str, territory: Territory) -> None:
        self.findings = Findings(part, territory.root)
        self.territory = territory
        self.heap: dict[tuple[Symbol, str], Symbol] = {}
        self.stale = False
        self.made: dict[Made, Spot] = {}
        self._entered: set[int] = set()
        self._results: dict[tuple[object, ...], tuple[Symbol, frozenset[Found]]] = {}
        self._ways: dict[int, int] = {}
        self._seen: set[tuple[Symbol, str]] = set()
        self._cells: dict[int, Cell] = {}
        self._reach = Reach(self.territory)

    def again(self) -> None:
        """Forget which calls were followed, but not what is stored where: the program is read once more."""
        self.stale = False
        self.findings.start()
        for gathered in (self.made, self._entered, self._results, self._seen, self._ways):
            gathered.clear()

    def draw(self, kind: Kind, target: str, spot: Spot, *, may: bool = False) -> None:
        """Note an arrow at the instruction that is read now."""
        self.findings.draw(kind, target, spot, may=may)

    def doubt(self, why: str, spot: Spot) -> None:
        """Note an opaque spot at the instruction that is read now."""
        self.findings.doubt(why, spot)

    # What is stored

    def load(self, owner: Symbol, name: str) -> Symbol | None:
        """What the program stores in an attribute or global; None when it never does."""
        self._seen.add((owner, name))
        return self.heap.get((owner, name))

    def store(self, owner: Symbol, name: str, value: Symbol) -> None:
        """Add what an attribute or global may be. When it was read before, the reading is stale."""
        key = (owner, name)
        old = self.heap.get(key)
        new = value if old is None else join(old, value)
        if old is None or new != old:
            self.heap[key] = new
            self.stale = self.stale or (key in self._seen and bool(leads_to(value, _matters)))

    # What is followed

    def owns(self, function: Symbol) -> bool:
        """Whether it is a function of the app."""
        if isinstance(function, Made):
            return True
        if not isinstance(function, Known) or not is_a(function.thing, FunctionType):
            return False
        return self.territory.owns_code(function.thing.__code__, function.thing.__globals__)

    def enter(self, function: Symbol, arguments: Arguments, spot: Spot) -> Symbol:
        """Follow a call into a function of the app; what it returns. Each way of calling it is read once."""
        callee = self._callee(function)
        bound = self._narrowed(callee.code, bind(callee.code, callee.defaults, arguments))
        seen = tuple(cell.value for cell in callee.cells)
        key = (id(callee.code), id(callee.names), spot.may, tuple(bound.items()), seen)
        known = self._results.get(key)
        if known is not None:
            self.findings.add(known[1])
            return known[0]
        if spot.depth >= DEEPEST_CALLS or len(self._results) >= MOST_CALLS:
            what = f"{DEEPEST_CALLS} deep" if spot.depth >= DEEPEST_CALLS else f"more than {MOST_CALLS} ways"
            self.doubt(f"calls go {what}; `{callee.code.co_name}` is not followed from here", spot)
            return FOREIGN
        self._entered.add(id(callee.code))
        self._ways[id(callee.code)] = self._ways.get(id(callee.code), 0) + 1
        self._results[key] = FOREIGN, frozenset()  # a call of itself adds nothing new
        self._results[key] = self._run(callee, bound, spot)
        result, found = self._results[key]
        self.findings.add(found)
        return result

    def _run(self, callee: Callee, bound: dict[str, Symbol], spot: Spot) -> tuple[Symbol, frozenset[Found]]:
        """What the function returns, or yields, and all that is found in it."""
        code, findings = callee.code, self.findings
        machine = Machine(self, callee, bound, Spot(code.co_filename, code.co_firstlineno, spot.may, spot.depth + 1))
        outside = findings.notes, findings.index
        findings.notes = machine.notes
        try:
            machine.run()
        except Unreadable as why:
            self.doubt(f"`{code.co_name}` could not be read: {why}", machine.spot())
        findings.notes, findings.index = outside
        result = machine.returned
        if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
            result = bag(() if machine.yielded is None else (machine.yielded,), exact=False)
        return result or FOREIGN, all_of(machine.notes)

    def _callee(self, function: Symbol) -> Callee:
        if isinstance(function, Made):
            defaults = Defaults(function.defaults, dict(function.keyword_defaults))
            return Callee(function.code, function.globals, defaults, function.cells)
        assert isinstance(function, Known), "only functions are entered"
        real: FunctionType = function.thing
        named = {name: Known(value) for name, value in (real.__kwdefaults__ or {}).items()}
        defaults = Defaults(tuple(map(Known, real.__defaults__ or ())), named)
        return Callee(real.__code__, real.__globals__, defaults, tuple(map(self._cell, real.__closure__ or ())))

    def _cell(self, real: Any) -> Cell:
        """The shared variable of an existing function, with what it holds now."""
        cell = self._cells.get(id(real))
        if cell is None:
            try:
                cell = Cell(Known(real.cell_contents))
            except ValueError:  # nothing was stored in it yet
                cell = Cell()
            self._cells[id(real)] = cell
        return cell

    def _narrowed(self, code: CodeType, bound: dict[str, Symbol]) -> dict[str, Symbol]:
        """A function called in many ways is read with its parts only; its data no longer counts."""
        if self._ways.get(id(code), 0) < MOST_WAYS:
            return bound
        return {name: _without_data(symbol) for name, symbol in bound.items()}

    def follow_unseen(self) -> None:
        """Read the nested functions that nobody in sight calls: whoever gets them may."""
        waiting = self._unseen()
        while waiting:
            for made, spot in waiting:
                self._entered.add(id(made.code))
                self.enter(made, UNSEEN, spot)
            waiting = self._unseen()

    def _unseen(self) -> list[tuple[Made, Spot]]:
        return [(made, spot) for made, spot in self.made.items() if id(made.code) not in self._entered]

    # What the program does

    def call(self, callee: Symbol, arguments: Arguments, spot: Spot) -> Symbol:
        """What the call gives; see `calls`."""
        return calls.call(self, callee, arguments, spot)

    def leave(self, callee: Symbol, arguments: Arguments, spot: Spot) -> None:
        """A call that is not followed; what it is handed is noted."""
        for symbol in arguments.all():
            self.hand_over(symbol, callee, spot)

    def hand_over(self, symbol: Symbol, to: Symbol | None, spot: Spot) -> None:
        """A value goes where it cannot be followed, to `to` or into a place (None)."""
        calls.hand_over(self, symbol, to, spot)

    def iterate(self, symbol: Symbol, spot: Spot) -> Symbol:
        """``iter(symbol)``, or what an asynchronous loop goes over."""
        return iteration.iterate(self, symbol, spot)

    def next_item(self, symbol: Symbol, spot: Spot) -> Symbol:
        """The next item of an iterator."""
        return iteration.next_item(self, symbol, spot)

    def item(self, container: Symbol, key: Symbol, spot: Spot) -> Symbol:
        """``container[key]``."""
        return iteration.item(self, container, key, spot)

    def unpack(self, whole: Symbol, before: int, after: int | None, spot: Spot) -> list[Symbol]:
        """The values of ``a, b = whole``, or with a starred one in between."""
        return unpack(self.iterate(whole, spot), before, after)

    def is_own(self, thing: Any) -> bool:
        """Whether an object, or what a symbol stands for, is of a class or module of the app."""
        if isinstance(thing, New):
            return self.territory.owns_class(thing.cls)
        real = thing.thing if isinstance(thing, Known) else thing
        if is_a(real, ModuleType):
            return self.territory.owns_module(real.__name__, own_names(real).get("__file__"))
        cls = real if is_a(real, type) else type(real)
        return is_a(real, FunctionType) or self.territory.owns_class(cls)

    def reaches(self, thing: Any) -> bool:
        """Whether a part is within a few names of an object."""
        return self._reach.of(thing)

    def held(self, cell: Any) -> Symbol:
        """What the closure of an existing function holds."""
        return self._cell(cell).value or FOREIGN

    def use(self, handle: Known, method: str, spot: Spot) -> None:
        """A part is used through one of its methods."""
        part: PartHandle = handle.thing
        kind = part.uses.get(method)
        if kind is not None:
            self.draw(kind, part.name, spot)


def _matters(symbol: Symbol) -> bool:
    """Whether it is more than data; a text may name a person."""
    if isinstance(symbol, Known):
        return type(symbol.thing) not in PLAIN or type(symbol.thing) is str
    return not isinstance(symbol, Foreign | Param | Bag | Table)


def _without_data(symbol: Symbol) -> Symbol:
    return FOREIGN if isinstance(symbol, Known) and type(symbol.thing) in PLAIN else symbol
